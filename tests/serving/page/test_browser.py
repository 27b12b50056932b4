"""People's ways through the page in Chromium, with the script and without; screenshots stay in build/screenshots."""

import re

import pytest

from irisrec.recommendation.adding import NewItem
from irisrec.recommendation.recommender import Recommender
from irisrec.recommendation.rules import Rules
from tests.serving.page.conftest import SCREENSHOTS

WIDTHS = (360, 800, 1400)


@pytest.fixture(scope="module")
def recommender(shop_run):
    return Recommender.load(shop_run)


@pytest.fixture(scope="module")
def user(recommender):
    return recommender.users.ids([3])[0]


def keep(tab, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def titles(tab) -> list[str]:
    return tab.locator(".rows h3").all_inner_texts()


def listed(found) -> list[str]:
    return [item.title for item in found]


def settled(tab) -> None:
    tab.wait_for_selector("html:not(.busy)")


def test_choosing_a_user_shows_the_library_s_list_and_what_carried_it(tab, recommender, user):
    tab.goto("/")
    keep(tab, "first")
    tab.get_by_label("User id").fill(str(user))
    tab.get_by_role("button", name="Show").click()
    tab.wait_for_selector(".rows")
    found = recommender.recommend(user, k=10)
    assert titles(tab) == listed(found)
    assert tab.url.endswith(f"/?user={user}")
    assert tab.evaluate("performance.getEntriesByType('navigation').length") == 1, "changed in place"
    table = tab.locator(".reasons").first
    explained = recommender.explain(found[0].item_id, user, n_reasons=40)
    first = explained.because[0]
    row = table.locator("tbody tr").first
    assert first.title in row.inner_text()
    assert f"{first.relevance:.3f}" in row.inner_text()
    assert f"{first.contribution:+.3f}" in row.inner_text()
    assert f"{explained.score:+.3f}".replace("-", "−") in table.locator("tfoot").inner_text()
    keep(tab, "recommended")


def test_hovering_and_clicking_show_the_exact_numbers(tab, recommender, user):
    tab.goto(f"/?user={user}")
    reason = recommender.recommend(user, k=1)[0].because[0]
    mini = tab.locator(".mini").first
    card = tab.locator("#n-1-1")
    assert not card.is_visible()
    mini.hover()
    card.wait_for(state="visible")
    text = card.inner_text()
    assert reason.title in text
    for share in (*reason.modalities.values(), reason.contribution):
        assert f"{share:+.4f}".replace("-", "−") in text
    assert f"{reason.relevance:.4f}" in text
    keep(tab, "numbers")
    tab.mouse.move(5, 5)
    card.wait_for(state="hidden")
    mini.focus()
    tab.keyboard.press("Enter")
    card.wait_for(state="visible")
    tab.keyboard.press("Escape")
    card.wait_for(state="hidden")


def test_switching_a_modality_off_marks_what_moved(tab, recommender, user):
    tab.goto(f"/?user={user}")
    before = recommender.recommend(user, k=100)
    tab.get_by_role("link", name=re.compile("Picture on")).click()
    tab.wait_for_selector("#changed")
    settled(tab)
    now = recommender.without(["image"]).recommend(user, k=10)
    assert titles(tab) == listed(now)
    was = {item.item_id: place for place, item in enumerate(before, start=1)}
    moves = tab.locator(".rows .place").all_inner_texts()
    for place, (item, text) in enumerate(zip(now, moves, strict=True), start=1):
        by = None if item.item_id not in was else was[item.item_id] - place
        wanted = "new" if by is None else "up" if by > 0 else "down" if by < 0 else "="
        assert wanted in text, (item.title, text)
        assert not by or str(abs(by)) in text
    gone = [item.title for item in before[:10] if item.item_id not in {found.item_id for found in now}]
    assert tab.locator(".gone bdi").all_inner_texts() == gone
    assert tab.evaluate("document.activeElement.id") == "switch-image"
    keep(tab, "without-pictures")
    tab.get_by_role("link", name="Put everything back").click()
    tab.wait_for_selector("#changed", state="detached")
    assert titles(tab) == listed(before[:10])


def test_an_item_set_aside_does_not_count_and_is_not_offered(tab, recommender, user):
    tab.goto(f"/?user={user}&k=50")
    history = recommender.history_of(user)
    title = recommender.catalog.titles[recommender.items.index([history[0]])[0]]
    tab.get_by_role("link", name=f"Set {title} aside").first.click()
    tab.wait_for_selector(".dropped")
    settled(tab)
    rules = Rules(deny=(history[0],))
    assert titles(tab) == listed(recommender.recommend(history=history[1:], k=50, rules=rules))
    tab.go_back()
    tab.wait_for_selector(".dropped", state="detached")
    settled(tab)
    assert titles(tab) == listed(recommender.recommend(user, k=50))


def test_a_history_is_built_by_clicking_pictures(tab, recommender):
    tab.goto("/")
    for _ in range(3):
        n = tab.locator(".past").count()
        tab.locator("a.pick").nth(4).click()
        tab.locator(".past").nth(n).wait_for()
        settled(tab)
    ids = [place.get_attribute("data-item") for place in tab.locator(".past").all()]
    assert titles(tab) == listed(recommender.recommend(history=ids, k=10))
    keep(tab, "built")
    word = recommender.catalog.titles[0].split()[-1]
    tab.get_by_label("Search the catalog").fill(word)
    tab.get_by_role("button", name="Search").click()
    tab.wait_for_url("**q=*")
    settled(tab)
    assert all(word in text for text in tab.locator(".pick .t").all_inner_texts()[:2])
    assert [place.get_attribute("data-item") for place in tab.locator(".past").all()] == ids


def test_an_item_has_neighbours_of_every_kind(tab, recommender, user):
    tab.goto(f"/?user={user}")
    tab.locator(".rows h3 a").first.click()
    tab.wait_for_selector(".likes")
    settled(tab)
    id = tab.url.split("/item/")[1].split("?")[0]
    for strip, by in zip(tab.locator(".like").all(), ("image", "text", "learned"), strict=True):
        wanted = recommender.similar_items(id, 8, by)
        assert strip.locator(".t").all_inner_texts() == [item.title for item in wanted]
        assert strip.locator("small").all_inner_texts() == [
            f"{item.similarity:.3f}".replace("-", "−") for item in wanted
        ]
    assert "is recommended, at rank 1" in tab.locator(".sentences").inner_text()
    keep(tab, "item")


def test_a_new_item_is_tried_with_a_picture_and_a_text(tab, recommender):
    tab.goto("/new-item")
    text, picture = recommender.catalog.texts[5], recommender.catalog.pictures[5]
    tab.get_by_label("Picture").set_input_files(picture)
    tab.get_by_label("Text").fill(text)
    tab.get_by_role("button", name="See who would get it").click()
    tab.wait_for_selector(".likes")
    new = NewItem("new", "New", {"image": picture, "text": text})
    grown = recommender.add_items([new])
    for strip, by in zip(tab.locator(".like").all(), ("image", "text", "learned"), strict=True):
        wanted = [item.title for item in grown.similar_items("new", 8, by)]
        assert strip.locator(".t").all_inner_texts() == wanted
    lists = grown.recommend_many(users=grown.users.series, k=10)
    n_takers = sum(any(item.item_id == "new" for item in items) for items in lists)
    assert (
        f"Recommended to {n_takers} of {len(grown.users)} users" in tab.locator("#takers-title").inner_text()
    )
    keep(tab, "new-item")


def test_the_keyboard_is_enough(tab, user):
    tab.goto(f"/?user={user}")
    tab.keyboard.press("Tab")
    assert tab.locator(".skip").is_visible()
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"
    toggle = tab.locator(".toggle").nth(2)
    toggle.focus()
    tab.keyboard.press("Space")
    tab.locator(".row").nth(2).locator(".opened").wait_for()
    assert toggle.get_attribute("aria-expanded") == "true"
    assert tab.evaluate("document.activeElement.id") == toggle.get_attribute("id")


def test_the_report_is_there_with_a_way_back(tab):
    tab.goto("/report")
    assert tab.locator("h1").is_visible()
    keep(tab, "report")
    tab.get_by_role("link", name="Recommendations").click()
    tab.wait_for_selector(".samples")


def test_without_javascript_everything_can_be_read_and_switched(browser, address, recommender, user):
    context = browser.new_context(base_url=address, java_script_enabled=False)
    tab = context.new_page()
    tab.goto("/")
    tab.get_by_label("User id").fill(str(user))
    tab.get_by_role("button", name="Show").click()
    tab.wait_for_selector(".rows")
    assert titles(tab) == listed(recommender.recommend(user, k=10))
    tab.get_by_role("link", name=re.compile("Text on")).click()
    tab.wait_for_selector("#changed")
    assert titles(tab) == listed(recommender.without(["text"]).recommend(user, k=10))
    tab.locator(".toggle").nth(1).click()
    tab.locator(".row").nth(1).locator(".reasons").wait_for()
    tab.locator(".mini").first.click()
    assert tab.locator("#n-1-1").is_visible()
    context.close()


def test_a_service_that_does_not_answer_is_said_and_can_be_tried_again(tab, user, complaints):
    tab.goto(f"/?user={user}")
    before = titles(tab)
    tab.context.set_offline(True)
    tab.get_by_role("link", name=re.compile("Picture on")).click()
    tab.wait_for_selector("#trouble")
    assert titles(tab) == before
    keep(tab, "trouble")
    tab.context.set_offline(False)
    tab.get_by_role("link", name="Try again").click()
    tab.wait_for_selector("#changed")
    assert not tab.locator("#trouble").count()
    assert [text for text in complaints if "ERR_INTERNET_DISCONNECTED" not in text] == []
    complaints.clear()


def test_axe_finds_nothing_serious(browser, address, user, recommender):
    id = recommender.items.ids([0])[0]
    everywhere = [(width, scheme) for width in WIDTHS for scheme in ("light", "dark")]
    some = [(360, "dark"), (800, "light"), (1400, "light")]
    views = {
        "changed": (f"/?user={user}&off=text&drop={recommender.history_of(user)[0]}", everywhere),
        "item": (f"/item/{id}?user={user}", some),
        "first": ("/", some),
        "unknown": ("/?user=nobody", some[:1]),
        "missing": ("/item/nothing", some[:1]),
        "nothing-found": (f"/?user={user}&q=zzzz&why=", some[:1]),
        "new-item": ("/new-item", some[:1]),
    }
    context = browser.new_context(base_url=address, reduced_motion="reduce")
    tab = context.new_page()
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = []
    for name, (path, cases) in views.items():
        tab.goto(path)
        for width, scheme in cases:
            tab.set_viewport_size({"width": width, "height": 900})
            tab.emulate_media(color_scheme=scheme)
            wide = tab.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is wider than a screen of {width}: {wide}"
            found += [
                (
                    name,
                    width,
                    scheme,
                    one["id"],
                    one["impact"],
                    [node["html"][:120] for node in one["nodes"][:3]],
                )
                for one in axe.run(tab).response["violations"]
                if one["impact"] in ("serious", "critical")
            ]
            keep(tab, f"{name}-{width}-{scheme}")
    context.close()
    assert not found
