"""Shapley values against their definition: the mean gain over every order in which the players can join."""

from itertools import permutations

import pytest
import torch

from irisrec.errors import ModelError
from irisrec.models.shapley import MOST_PLAYERS, coalitions, shapley


def random_game(players: str, seed: int = 0, n_games: int = 5) -> dict:
    generator = torch.Generator().manual_seed(seed)
    return {some: torch.randn(n_games, generator=generator).double() for some in coalitions(players)}


def by_permutations(values: dict, players: str) -> dict:
    orders = list(permutations(players))
    gains = {player: torch.zeros_like(values[frozenset()]) for player in players}
    for order in orders:
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            gains[player] += values[before | {player}] - values[before]
    return {player: gain / len(orders) for player, gain in gains.items()}


@pytest.mark.parametrize("players", ["a", "ab", "abc", "abcde"])
def test_values_are_the_mean_gains_over_all_orders(players):
    values = random_game(players)
    found, expected = shapley(values), by_permutations(values, players)
    assert found.keys() == expected.keys()
    for player in players:
        torch.testing.assert_close(found[player], expected[player], rtol=1e-12, atol=1e-12)


def test_nobody_and_all_players_together_make_the_whole():
    values = random_game("abcd")
    total = values[frozenset()] + sum(shapley(values).values())
    torch.testing.assert_close(total, values[frozenset("abcd")], rtol=1e-12, atol=1e-12)


def test_a_player_who_changes_nothing_gets_exactly_zero():
    values = random_game("ab")
    values |= {some | {"c"}: value for some, value in values.items()}
    assert torch.equal(shapley(values)["c"], torch.zeros(5, dtype=torch.float64))


def test_players_who_can_stand_for_one_another_get_the_same():
    sizes = random_game("abc")
    values = {some: sizes[frozenset(sorted("abc")[: len(some)])] for some in sizes}
    found = shapley(values)
    torch.testing.assert_close(found["a"], found["b"], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found["a"], found["c"], rtol=1e-12, atol=1e-12)


def test_a_game_without_players_has_no_values():
    assert shapley({frozenset(): torch.ones(2)}) == {}


def test_more_players_than_can_be_exact_are_refused_with_a_way_out():
    with pytest.raises(ModelError, match=r"at most 8 modalities, the model reads 9 \(512 subsets\)"):
        coalitions([str(n) for n in range(MOST_PLAYERS + 1)])
