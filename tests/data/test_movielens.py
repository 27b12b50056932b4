import polars as pl
import pytest

from irisrec.errors import DataError
from irisrec.notes import counted
from tests.data.helpers import load, pairs_of, write

RATINGS = "1::10::5::978300760\n1::20::3::978302109\n2::10::4::978301968\n"
MOVIES = (
    "10::Misérables, Les (1995)::Drama|Musical\n20::Toy Story (1995)::Animation\n30::Unseen (2000)::Drama\n"
)
PLOTS = (
    "movieId,title,plot,plot_source,genres\n"
    '10,Les Misérables,"A man, hunted.",imdb,Drama\n30,Unseen,Dark.,imdb,Drama\n'
)


def movielens(root, **options):
    return load(root, source="movielens", **options)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_the_1m_files_are_read_as_published_or_as_converted(tmp_path, encoding):
    dataset = movielens(
        write(tmp_path, ratings__dat=RATINGS, movies__dat=MOVIES.encode(encoding), users__dat="1::F\n")
    )
    assert pairs_of(dataset) == [(1, 10), (1, 20), (2, 10)]
    assert dataset.times.to_list() == [978300760, 978302109, 978301968]
    assert dataset.catalog.titles == ["Misérables, Les (1995)", "Toy Story (1995)"]
    assert dataset.catalog.texts == [None, None]
    assert dataset.catalog.frame["year"].to_list() == [1995, 1995]
    assert dataset.catalog.frame["genres"].to_list() == ["Drama|Musical", "Animation"]
    assert dataset.notes[0].sentence == "read as MovieLens: ratings.dat, movies.dat"


def test_latest_style_csv_is_read_with_its_links(tmp_path):
    write(
        tmp_path,
        ratings__csv="userId,movieId,rating,timestamp\n1,10,4.5,964982703\n",
        movies__csv='movieId,title,genres\n10,"Misérables, Les (1995)",Drama\n',
        links__csv="movieId,imdbId,tmdbId\n10,0113828,4415\n99,0000001,\n",
        tags__csv="userId,movieId,tag,timestamp\n",
    )
    frame = movielens(tmp_path, filters={"unseen_items": "keep"}).catalog.frame
    assert frame.rows() == [(10, "Misérables, Les (1995)", None, None, "Drama", "0113828", 4415, 1995)]


def test_pairs_with_plots_and_posters_make_one_catalog(tmp_path):
    pairs = {"userId": [1, 1], "movieId": [10, 20], "rating": [5, None], "timestamp": [7, None]}
    pl.DataFrame(pairs).write_parquet(tmp_path / "interactions.parquet")
    (tmp_path / "posters").mkdir()
    write(tmp_path / "posters", **{"10__jpg": ""})
    dataset = movielens(write(tmp_path, movies__dat=MOVIES.encode("latin-1"), plots__csv=PLOTS))
    catalog = dataset.catalog
    assert catalog.titles == ["Les Misérables", "Toy Story (1995)"]
    assert catalog.texts == ["A man, hunted.", None]
    assert catalog.pictures == [str(tmp_path / "posters/10.jpg"), None]
    assert catalog.frame["genres"].to_list() == ["Drama", "Animation"]
    assert counted(dataset.notes) == {"movielens_files": 3, "unseen_items": 1, "items_without_picture": 1}
    kept = movielens(tmp_path, filters={"catalog": {"plot_source": "imdb"}})
    assert pairs_of(kept) == [(1, 10)]


def test_any_column_can_be_the_text(tmp_path):
    write(tmp_path, ratings__dat=RATINGS, movies__dat=MOVIES)
    dataset = movielens(tmp_path, columns={"text": ["title", "genres"]})
    assert dataset.catalog.texts[1] == "Toy Story (1995)\nAnimation"


def test_ratings_alone_are_enough(tmp_path):
    dataset = movielens(write(tmp_path, ratings__dat=RATINGS))
    assert dataset.catalog.titles == ["10", "20"]


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"not a MovieLens folder: it has none of ratings.dat, ratings.csv"):
        movielens(tmp_path)
    with pytest.raises(DataError, match=r"no folder .*nowhere"):
        movielens(tmp_path / "nowhere")


def test_a_malformed_line_is_shown(tmp_path):
    with pytest.raises(DataError, match=r"ratings.dat: row 2 has 3 fields where 4 are expected: 1::20::3$"):
        movielens(write(tmp_path, ratings__dat="1::10::5::9\n1::20::3\n"))
