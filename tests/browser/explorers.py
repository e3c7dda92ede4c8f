"""What a page's explorers must do with no kernel: every control moves the picture, by keyboard and by pointer."""

import pytest
from playwright.sync_api import Locator, Page, TimeoutError


class Shown:
    """One explorer of a page, and whether its picture changed since we last looked."""

    def __init__(self, root: Locator):
        self.root = root
        self.look()

    def look(self) -> None:
        self.root.evaluate("root => { root.seen = root.querySelector('.gf-picture').innerHTML }")

    def changed(self, what: str) -> None:
        """The picture is another one now, and its reading is its name."""
        # Asked in the page: from here a slow machine sees too little of a film.
        other = "root => root.querySelector('.gf-picture').innerHTML !== root.seen"
        try:  # a frame is there at once, a play button waits for its next tick
            self.root.page.wait_for_function(
                other, arg=self.root.element_handle(), polling=20, timeout=5000
            )
        except TimeoutError:
            pytest.fail(f"{what} left the picture as it was: start where it shows something")
        name, reading = self.root.evaluate(
            """root => [root.querySelector(".gf-picture").getAttribute("aria-label"),
                        root.querySelector(".gf-reading").innerText]"""
        )
        assert name == reading
        self.look()


def by_keyboard(shown: Shown, control: Locator) -> None:
    label = control.inner_text().split("\n")[0]
    slider = control.locator("input[type=range]")
    if (play := control.locator("button")).count():
        slider.press("Home")  # the whole film: it must not be over before it has been paused
        shown.look()
        play.press("Enter")
        shown.changed(f"the play button of {label!r}, by keyboard,")
        play.press("Enter")
        assert play.get_attribute("aria-label").startswith("play"), "Enter did not pause it"
    if slider.count():
        slider.press("Home")
        shown.look()
        slider.press("End")
        shown.changed(f"the slider {label!r}, by keyboard,")
        assert slider.get_attribute("aria-valuetext") == control.locator("output").inner_text()
    elif (radios := control.locator("input[type=radio]")).count():
        radios.locator("nth=0").focus()
        control.locator("input:checked").press("ArrowRight")
        shown.changed(f"the radio buttons {label!r}, by keyboard,")
    else:
        control.locator("select").press("ArrowDown")
        shown.changed(f"the menu {label!r}, by keyboard,")


def by_pointer(shown: Shown, control: Locator) -> None:
    label = control.inner_text().split("\n")[0]
    if (slider := control.locator("input[type=range]")).count():
        box = slider.bounding_box()
        assert box["height"] >= 44, f"the slider {label!r} is too thin for a finger"
        slider.click(position={"x": 3, "y": box["height"] / 2})
        shown.look()
        slider.click(position={"x": box["width"] - 3, "y": box["height"] / 2})
        shown.changed(f"the slider {label!r}, by pointer,")
        if (play := control.locator("button")).count():
            play.click()  # at the end: starts over
            shown.changed(f"the play button of {label!r}, by pointer,")
            slider.click(position={"x": box["width"] - 3, "y": box["height"] / 2})  # and stops
    elif (radios := control.locator("input[type=radio]")).count():
        index = radios.evaluate_all("inputs => inputs.findLastIndex((input) => !input.checked)")
        control.locator("label", has=shown.root.page.locator("input")).nth(index).click()
        shown.changed(f"the radio buttons {label!r}, by pointer,")
        assert radios.nth(index).is_checked()
    else:
        menu = control.locator("select")
        menu.click()
        last = menu.locator("option").count() - 1
        menu.select_option(index=last if menu.evaluate("menu => menu.selectedIndex") != last else 0)
        shown.changed(f"the menu {label!r}, by pointer,")


def check_every_control(page: Page, way) -> None:
    """Every control of every explorer moves its picture, used in one way."""
    explorers = page.locator(".gf-explorer").all()
    assert explorers, "a chapter lets its reader play: it has an explorer"
    for root in explorers:
        root.scroll_into_view_if_needed()
        # Sliders first: they are left at their ends, where the other controls have most to show.
        for kind in (".gf-slider", ".gf-radios", ".gf-select"):
            for control in root.locator(kind).all():
                way(Shown(root), control)


def check_focus(page: Page) -> None:
    """The focus is visible, and a reading is announced."""
    for root in page.locator(".gf-explorer").all():
        assert root.locator(".gf-reading").get_attribute("aria-live") == "polite"
        for control in root.locator("input, select, button").all():
            control.scroll_into_view_if_needed()
            page.keyboard.press("Tab")  # from now on focus counts as the keyboard's
            control.focus()
            assert control.evaluate("input => getComputedStyle(input).outlineStyle") == "solid"


def check_films(page: Page) -> None:
    """Playing does not read every frame aloud."""
    for play in page.locator(".gf-play").all():
        reading = page.locator(".gf-explorer", has=play).locator(".gf-reading")
        page.locator(".gf-slider", has=play).locator("input").press("Home")  # a film that lasts
        assert play.get_attribute("aria-label").startswith("play")
        play.click()
        assert play.get_attribute("aria-label").startswith("pause")
        assert reading.get_attribute("aria-live") == "off"
        play.click()
        assert reading.get_attribute("aria-live") == "polite"
