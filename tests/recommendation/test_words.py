"""Words never claim more than the numbers say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irisrec.recommendation.results import Reason, Recommendation
from irisrec.recommendation.words import NAMED_FROM, Wording, named_modalities

SHARES = st.dictionaries(st.sampled_from(["image", "text", "audio"]), st.floats(-3, 3), max_size=3)


def reason(contribution: float, alike=(), title="Raiders", shared=("image", "text"), **modalities) -> Reason:
    return Reason(
        item_id=1,
        title=title,
        relevance=1.0,
        contribution=contribution,
        modalities=modalities,
        shared=shared,
        alike=alike,
    )


@given(st.floats(-3, 3), SHARES)
def test_a_modality_is_named_only_if_it_carries_the_contribution(contribution, modalities):
    named = named_modalities(contribution, modalities)
    assert named == [] or contribution > 0
    ids = contribution - sum(modalities.values())
    for name in named:
        assert modalities[name] > 0
        assert modalities[name] >= NAMED_FROM * contribution
        assert modalities[name] >= ids
    if named:
        assert modalities[named[0]] == max(modalities.values())


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (reason(1.0), "because you had Raiders"),
        (reason(1.0, image=0.2, text=0.3), "because you had Raiders"),
        (reason(1.0, ("image",), image=0.8, text=0.1), "because you had Raiders: similar picture"),
        (reason(1.0, image=0.8, text=0.1), "because you had Raiders: by picture"),
        (
            reason(1.0, ("image", "text"), image=0.45, text=0.5),
            "because you had Raiders: similar text and picture",
        ),
        (
            reason(1.0, ("text",), image=0.45, text=0.5),
            "because you had Raiders: similar text, by picture",
        ),
        (reason(1.0, ("text",), image=0.9, text=0.05), "because you had Raiders: by picture"),
        (reason(1.0, shared=("text",), image=0.9, text=0.05), "because you had Raiders"),
        (reason(-1.0, ("image",), image=-0.9), "although you had Raiders"),
        (reason(0.0, image=0.5, text=-0.5), "you had Raiders, which makes no difference"),
    ],
)
def test_a_reason_in_words(one, words):
    assert one.in_words() == words


def test_verb_and_nouns_are_those_of_the_data():
    wording = Wording("watched", {"text": "plot"})
    one = reason(1.0, ("text",), text=0.9)
    assert one.in_words(wording) == "because you watched Raiders: similar plot"


def test_a_recommendation_names_what_speaks_for_it_and_nothing_else():
    reasons = (
        reason(1.0, ("image",), "Ark", image=0.9),
        reason(0.5, title="Temple"),
        reason(-0.2, title="Crusade"),
    )
    found = Recommendation(7, "Skull", 1.3, None, reasons)
    assert found.in_words() == "because you had Ark (similar picture) and Temple"
    assert Recommendation(7, "Skull", 1.3, None, reasons[2:]).in_words() == ""
