import pytest
from hypothesis import given
from hypothesis import strategies as st

from irisrec.data.collect.films import Movie, mismatch, questions
from irisrec.data.collect.titles import Film, near_year, same_title, with_article_first


@pytest.mark.parametrize(
    ("title", "names", "year"),
    [
        ("Toy Story (1995)", ("Toy Story",), 1995),
        ("Matrix, The (1999)", ("The Matrix",), 1999),
        (
            "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
            ("The City of Lost Children", "La Cité des enfants perdus"),
            1995,
        ),
        ("Seven (a.k.a. Se7en) (1995)", ("Seven", "Se7en"), 1995),
        ("Movie (aka: Film) (Pelicula, La) (2001)", ("Movie", "Film", "La Pelicula"), 2001),
        ("Avventura, L' (a.k.a. Adventure, The) (1960)", ("L'Avventura", "The Adventure"), 1960),
        ("Postino, Il (The Postman) (1994)", ("Il Postino", "The Postman"), 1994),
        ("Good, the Bad and the Ugly, The (1966)", ("The Good, the Bad and the Ugly",), 1966),
        ("Planet Earth (2006–2007)", ("Planet Earth",), 2006),
        ("Babylon 5", ("Babylon 5",), None),
        ("(500) Days of Summer (2009)", ("(500) Days of Summer",), 2009),
        ("2001: A Space Odyssey (1968) ", ("2001: A Space Odyssey",), 1968),
        ("1984 (Nineteen Eighty-Four) (1984)", ("1984", "Nineteen Eighty-Four"), 1984),
        ("Alien³ (a.k.a. Alien 3) (1992)", ("Alien³", "Alien 3"), 1992),
    ],
)
def test_a_movielens_title_is_taken_apart(title, names, year):
    assert Film.parse(title) == Film(names, year)


@given(st.text(max_size=60))
def test_any_text_is_a_title(text):
    film = Film.parse(text)
    assert len(set(film.names)) == len(film.names)
    with_article_first(text)
    same_title(text, text[::-1])


def test_one_film_is_recognised_under_small_differences():
    assert same_title("Léon: The Professional", "Leon The Professional")
    assert same_title("Les Misérables", "Les Miserables")
    assert same_title("Dr. Strangelove", "Dr Strangelove")
    assert not same_title("Guardians of the Galaxy", "Guardians of the Galaxy Vol. 2")
    assert not same_title("Rocky", "Rocky V")


def test_a_year_may_be_off_by_one():
    assert near_year(1995, "1996")
    assert near_year(1995, "1995–1998")
    assert near_year(None, "N/A")
    assert not near_year(1995, "1997")
    assert not near_year(1995, "N/A")


def test_an_imdb_id_makes_all_other_questions_needless():
    assert list(questions(Movie(1, "Toy Story (1995)", "tt0114709"))) == [{"i": "tt0114709"}]


def test_the_most_certain_question_comes_first_and_their_number_is_bounded():
    asked = list(questions(Movie(1, "A (B) (C) (D) (E) (1995)")))
    assert asked[0] == {"t": "A", "y": "1995", "type": "movie"}
    assert len(asked) == 8


def test_an_answer_is_believed_only_if_title_and_year_fit():
    movie = Movie(1, "Heat (1995)")
    assert mismatch(movie, {"t": "Heat"}, {"Title": "Heat", "Year": "1996"}) is None
    assert "1986" in mismatch(movie, {"t": "Heat"}, {"Title": "Heat", "Year": "1986"})
    assert "White Heat" in mismatch(movie, {"t": "Heat"}, {"Title": "White Heat", "Year": "1995"})
