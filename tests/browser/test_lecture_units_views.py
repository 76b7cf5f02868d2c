"""The lecture's pages on the perceptron, Boolean functions and graphs, as a person uses them."""

import re
from itertools import islice

import numpy as np
import pytest

from browser.explorer_process import drag, let_time_pass, settle, state, waits_until
from narrows.foundations.boolean import inputs, separate
from narrows.foundations.feedforward import lecture_graph
from narrows.foundations.networks import network
from narrows.foundations.perceptron import ThresholdUnit
from narrows.foundations.rules import convergence, hebb, rosenblatt

FOUR = "0,0,0,2,0,1,0,2,1,-1,-1,0"
X, LABELS = [(0, 0), (2, 0), (0, 2), (-1, -1)], [0, 1, 1, 0]
XOR = "0,0,0,0,1,1,1,0,1,1,1,0"


def numbers(text):
    return [float(part) for part in text.split(",")]


def read_number(text):
    return float(text.replace("−", "-").replace(",", ""))


def row_of(page, name):
    """The cells of the table whose caption is ``name``."""
    return [read_number(text) for text in page.locator(f"section:has(> h2:text-is('{name}')) td").all_inner_texts()]


def at(page, x, y):
    """Where a place of the plane is in the window."""
    box = page.locator(".perceptron .plot").bounding_box()
    scale = box["width"] / 460
    return box["x"] + scale * (34 + (x + 3) / 6 * 418), box["y"] + scale * (8 + (3 - y) / 6 * 418)


def slider(page, name):
    return page.locator("label.slider", has=page.locator(f"span:text-is('{name}')")).locator("input")


def told(page, words):
    page.get_by_text(words).first.wait_for()


# --- Perceptron ---------------------------------------------------------------


def test_the_line_is_dragged_and_then_goes_through_there(lesson):
    page = lesson("perceptron", w="1,0.5", theta="-0.5", p=FOUR)
    line = page.get_by_role("button", name="The line;")
    before = line.bounding_box()
    drag(page, line, (0.5, 0.5), (3.5, -2.0))
    now = state(page)
    assert numbers(now["w"]) == [1, 0.5]
    theta = float(now["theta"])
    assert theta > 0.5
    box = line.bounding_box()
    assert box["x"] - before["x"] == pytest.approx(3 * before["width"], abs=3)
    page.mouse.click(0, 0)
    assert slider(page, "θ").input_value() == f"{round(theta * 20) / 20:g}"
    assert "≥ " + f"{theta:.3g}" in page.locator(".formula").first.inner_text()


def test_the_tip_of_w_turns_the_line_by_mouse_and_by_keys(lesson):
    page = lesson("perceptron", w="3,4", theta="0", p=FOUR)
    tip = page.get_by_role("button", name="The tip of w")
    x, y = at(page, 0.8, 0)
    box = tip.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(x, y, steps=8)
    page.mouse.up()
    w = numbers(state(page)["w"])
    assert w == pytest.approx([5, 0], abs=0.1)
    assert float(state(page)["theta"]) == pytest.approx(0, abs=0.02)
    tip.focus()
    page.keyboard.press("Shift+ArrowUp")
    turned = numbers(state(page)["w"])
    assert turned[1] > 1
    assert np.hypot(*turned) == pytest.approx(5, abs=0.05)


def test_sliders_set_the_unit_and_the_chosen_point_is_classified_by_it(lesson):
    page = lesson("perceptron", p=FOUR, i="1")
    for name, value in (("w₁", -1.5), ("w₂", 2.5), ("θ", 0.75)):
        slider(page, name).fill(str(value))
    told(page, "−1.5·x₁ + 2.5·x₂ ≥ 0.75")
    told(page, "−0.75 − 1.5·x₁ + 2.5·x₂ ≥ 0")
    unit = ThresholdUnit(np.array([-1.5, 2.5]), 0.75)
    expected = [0, 1, float(unit.excitation(X[1])), int(unit(X[1])), float(unit.distance(X[1]))]
    assert row_of(page, "The chosen point") == pytest.approx(expected, rel=0.01)
    told(page, "wrong about 1 of 4 points")


def test_sliders_moved_before_the_answer_keep_what_the_others_were_moved_to(lesson):
    page = lesson("perceptron", p=FOUR, i="1")
    page.evaluate("""() => [-1.5, 2.5, 0.75].forEach((value, i) => {
      const input = document.querySelectorAll('label.slider input')[i];
      input.value = String(value);
      input.dispatchEvent(new Event('input', { bubbles: true }));
    })""")
    told(page, "−1.5·x₁ + 2.5·x₂ ≥ 0.75")


def test_points_are_dragged_added_changed_and_removed(lesson):
    page = lesson("perceptron", p=FOUR)
    page.get_by_role("button", name="Point (2; 0)").focus()
    for x in (1.95, 1.9, 1.85):
        page.keyboard.press("ArrowLeft")
        page.get_by_role("button", name=f"Point ({x:g}; 0)").wait_for()
    assert numbers(state(page)["p"])[3:6] == [1.85, 0, 1]
    page.mouse.click(*at(page, -2, 2))
    point = page.get_by_role("button", name="Point (−2; 2)")
    point.wait_for()
    assert numbers(state(page)["p"])[12:] == [-2, 2, 1]
    page.mouse.click(*at(page, -2, 2))
    assert numbers(state(page)["p"])[14] == 0
    point.focus()
    page.keyboard.press("Enter")
    assert numbers(state(page)["p"])[14] == 1
    page.keyboard.press("Delete")
    point.wait_for(state="detached")
    assert len(numbers(state(page)["p"])) == 12
    assert "Point" in page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.mouse.click(*at(page, 0, 2))
    assert state(page)["i"] == "2"
    assert numbers(state(page)["p"])[8] == 1, "the first click on a point only chooses it"
    page.get_by_role("button", name="Remove it").click()
    assert len(numbers(state(page)["p"])) == 9


def test_a_drag_moves_a_point_and_adds_none(lesson):
    page = lesson("perceptron", p=FOUR)
    page.mouse.move(*at(page, 0, 2))
    page.mouse.down()
    page.mouse.move(*at(page, 1.5, 1), steps=5)
    page.mouse.up()
    assert numbers(state(page)["p"]) == [0, 0, 0, 2, 0, 1, 1.5, 1, 1, -1, -1, 0]
    assert row_of(page, "The chosen point")[:3] == [1, 1, 2]


def test_without_points_there_is_nothing_to_learn(lesson):
    page = lesson("perceptron", p="0,0,1")
    page.get_by_role("button", name="Remove it").click()
    assert state(page)["p"] == "none"
    told(page, "There are no points")
    assert page.get_by_role("button", name="Remove it").is_disabled()
    page.get_by_role("button", name="Step", exact=True).click()
    page.get_by_role("button", name="Add a point").click()
    assert numbers(state(page)["p"]) == [0, 0, 1]


def test_rosenblatts_rule_step_by_step_until_it_rests(lesson):
    page = lesson("perceptron", p=FOUR)
    report = convergence(X, LABELS)
    told(page, f"that is {int(report.bound)}")
    steps = list(rosenblatt(X, LABELS))
    button = page.get_by_role("button", name="Step", exact=True)
    for k, step in enumerate(steps[:3], 1):
        button.click()
        told(page, f"Step {k}, pass 1")
        w1, w2, theta = (slider(page, name).input_value() for name in ("w₁", "w₂", "θ"))
        assert (float(w1), float(w2), float(theta)) == (*step.unit.weights, step.unit.theta)
    assert state(page)["k"] == "3"
    for _ in steps[3:]:
        button.click()
    told(page, f"the rule stops, after {report.updates} changes")
    told(page, "wrong about 0 of 4")
    button.click()
    assert state(page)["k"] == str(len(steps))
    page.get_by_role("button", name="Back to the start").click()
    told(page, "Learning begins")
    told(page, "there is no line")


def test_a_rule_runs_by_itself_until_it_is_stopped(lesson):
    page = lesson("perceptron", p=XOR)
    told(page, "The rule never stops")
    page.get_by_role("button", name="Run").click()
    assert waits_until(page, lambda: int(state(page).get("k", 0)) >= 3)
    page.get_by_role("button", name="Pause").click()
    k = state(page)["k"]
    let_time_pass(page)
    assert state(page)["k"] == k
    page.get_by_role("button", name="Run").click()
    let_time_pass(page)
    assert int(state(page)["k"]) > int(k)
    slider(page, "w₁").fill("2")
    let_time_pass(page)
    assert "k" not in state(page)
    assert page.get_by_role("button", name="Run").is_visible()


def test_the_other_rules_and_a_rate_that_is_too_large(lesson):
    page = lesson("perceptron", p=FOUR)
    page.get_by_label("Rule").select_option("hebb")
    for _ in X:
        page.get_by_role("button", name="Step", exact=True).click()
    told(page, "The pass is over")
    unit = list(hebb(X, LABELS))[-1].unit
    assert float(slider(page, "w₂").input_value()) == unit.weights[1]
    page.get_by_label("Rule").select_option("adaline")
    limit = 2 / convergence(X, LABELS).radius ** 2
    told(page, f"below 2/R² = {limit:.3g}")
    page.get_by_role("button", name="Step", exact=True).click()
    told(page, "Step 1, pass 1")
    slider(page, "η").fill("0.9")
    told(page, "Make it smaller")
    page.get_by_role("button", name="Step", exact=True).click()
    told(page, "Learning begins")


def test_the_lectures_four_weights_can_be_changed(lesson):
    page = lesson("perceptron")
    told(page, "1.05 ≥ 1: the unit gives 1.")
    theta = page.locator("input[aria-label=θ][type=number]")
    theta.fill("1.06")
    told(page, "1.05 < 1.06: the unit gives 0.")
    theta.fill("")
    assert theta.get_attribute("aria-invalid") == "true"
    page.get_by_label("x₂", exact=True).fill("-2")
    told(page, "1.8 ≥ 1.06: the unit gives 1.")
    assert numbers(state(page)["v"]) == [0.9, -0.3, -1.7, 0.3, 1, -2, 0, 1, 1.06]


# --- Boolean functions --------------------------------------------------------


def test_outputs_are_flipped_until_no_unit_can_do_it(lesson):
    page = lesson("boolean", f="0001")
    told(page, "It gives 1 where x₁ + x₂ ≥ 1.5")
    page.get_by_role("cell", name="f(0, 1) = 0").get_by_role("button").click()
    told(page, "One unit does it")
    page.get_by_role("button", name="f(1, 1) = 1").first.click()
    page.get_by_role("button", name="f(1, 0) = 0").first.click()
    assert state(page)["f"] == "0110"
    told(page, "No unit does it")
    assert page.get_by_role("button", name="XOR", exact=True).get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize(("name", "f"), [("XOR", "0110"), ("XNOR", "1001")])
def test_the_proof_is_the_foundations(lesson, name, f):
    page = lesson("boolean", f="0001")
    page.get_by_role("button", name=name, exact=True).click()
    told(page, "No unit does it")
    *demands, total = separate(inputs(2), [int(bit) for bit in f]).lines()
    rows = page.locator(".proof tr").all()
    assert len(rows) == len(demands) + 1
    for row, demand in zip(rows, demands, strict=False):
        _, left, _, right, since = row.locator("td").all_inner_texts()
        inequality = demand.split("    ")[0].replace("w1", "w₁").replace("w2", "w₂")
        assert {left, right} == set(re.split(" [≥<] ", inequality))
        assert since.removeprefix("f").split(" = ")[0] in demand
    _, left, sign, right, _ = rows[-1].locator("td").all_inner_texts()
    assert (left, sign) == (right, "<")
    assert left.replace("₁", "1").replace("₂", "2") in total


@pytest.mark.parametrize("f", ["0110", "01101001", "00010111"])
def test_a_rows_values_flow_through_the_network(lesson, f):
    page = lesson("boolean", f=f)
    table, n = [int(bit) for bit in f], len(f).bit_length() - 1
    nodes = page.locator(".wired .node")
    for row, given in enumerate(inputs(n)):
        page.get_by_role("button", name=f"Send {' '.join(map(str, given))} through").click()
        x, values = given, [str(value) for value in given]
        for layer in network(table).layers:
            sums = [float(unit.excitation(x)) for unit in layer]
            x = np.array([int(unit(x)) for unit in layer])
            values += [f"{total:g} → {value}".replace("-", "−") for total, value in zip(sums, x, strict=True)]
        page.locator(f".facts tr:nth-child({row + 1}) button[aria-pressed=true]").wait_for()
        settle(page)
        assert nodes.evaluate_all("all => all.map((one) => one.lastChild.textContent)") == values
        assert values[-1].endswith(f"→ {table[row]}")


def test_three_inputs_have_a_cube_and_a_plane(lesson):
    page = lesson("boolean")
    page.get_by_label("Inputs n").select_option("3")
    told(page, "f(1, 1, 1) = 1")
    assert state(page)["f"] == "01101001"
    page.get_by_role("button", name="AND", exact=True).click()
    told(page, "x₁ + x₂ + x₃ ≥ 2.5")
    assert page.locator(".plot .line.half").get_attribute("d").count("L") == 2
    spot = page.locator(".plot .handle", has=page.locator("path")).first
    spot.focus()
    page.keyboard.press("Enter")
    assert state(page)["f"] == "10000001"


def test_the_lectures_counts_are_shown(lesson):
    page = lesson("boolean")
    told(page, "1,882")
    assert row_of(page, "How many functions one unit computes") == [4, 4, 16, 14, 256, 104, 65536, 1882]


# --- Graph --------------------------------------------------------------------


def test_values_and_derivatives_are_those_of_the_foundations(lesson):
    page = lesson("graph", at="0.5,1,-2")
    F = lecture_graph()
    values = F.forward({"x": 0.5, "y": 1, "z": -2})
    derivatives = F.backward(values)
    told(page, f"F = {values[-1]:.3g}".replace("-", "−"))
    for row, value, derivative in zip(page.locator(".facts tbody tr").all(), values, derivatives, strict=True):
        shown = [read_number(cell) for cell in row.locator("td").all_inner_texts()[1:]]
        assert shown == pytest.approx([value, derivative], rel=0.01)


def test_the_waves_go_node_by_node(lesson):
    page = lesson("graph")
    page.get_by_role("button", name="Back to the start").click()
    told(page, "Only the inputs are known")
    cells = page.locator(".facts tbody td:nth-child(3)")
    assert [text != "–" for text in cells.all_inner_texts()] == [True] * 3 + [False] * 6
    step = page.get_by_role("button", name="Step", exact=True)
    for name in ("f₁ = x + y", "f₂ = y · z", "f₃ = f₁²", "f₄ = sin f₂", "f₅ = f₃ · f₄", "f₆ = tanh f₅"):
        step.click()
        told(page, f"{name} = ")
    settle(page)
    assert page.locator(".facts tbody td:nth-child(4)").all_inner_texts() == ["–"] * 9
    for name in ("f₆", "f₅", "f₄", "f₃", "f₂", "f₁", "z", "y"):
        step.click()
        told(page, f"∂F/∂{name} = ")
    told(page, "from f₁ and")
    assert page.locator(".wired .edge.back").count() == 8
    page.keyboard.press("ArrowLeft")
    told(page, "∂F/∂z = ")
    assert state(page)["k"] == "13"


def test_the_waves_run_and_inputs_move_meanwhile(lesson):
    page = lesson("graph")
    page.get_by_role("button", name="Run").click()
    settle(page)
    slider(page, "x").fill("1")
    sine = page.locator(".facts tbody tr").nth(6).locator("td").nth(1)
    assert waits_until(page, lambda: sine.inner_text() != "–")
    page.get_by_role("button", name="Pause").click()
    assert numbers(state(page)["at"]) == [1, 0.9, 1.5]
    assert read_number(page.locator(".facts tbody tr").nth(3).locator("td").nth(1).inner_text()) == 1.9


def test_small_derivatives_are_short(lesson):
    page = lesson("graph", at="3,3,0.55")
    assert max(map(len, page.locator(".facts td").all_inner_texts())) < 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("view", "wrong"),
    [
        (
            "perceptron",
            {"w": "1", "theta": "x", "p": "1,2", "i": "99", "rule": "oja", "eta": "-1", "k": "-3", "v": "1"},
        ),
        ("perceptron", {"w": "1,1e9", "p": "9,0,1", "k": "1.5", "eta": "7", "v": "1,2,3,4,5,6,7,8,1e9"}),
        ("boolean", {"f": "012", "r": "9"}),
        ("graph", {"at": "1,2,9", "k": "77"}),
    ],
)
def test_what_an_address_has_wrong_is_left_out(lesson, view, wrong):
    last = {"perceptron": "the unit gives 1", "boolean": "1,882", "graph": "Both waves are through"}[view]
    page = lesson(view)
    told(page, last)
    usual = page.locator("main").inner_text()
    lesson(view, **wrong)
    page.reload()
    told(page, last)
    settle(page)
    assert page.locator("main").inner_text() == usual


def test_a_step_too_far_is_the_last(lesson):
    page = lesson("perceptron", p=FOUR, k="9999")
    told(page, "the rule stops")
    assert len(list(islice(rosenblatt(X, LABELS), 500))) < 500


@pytest.mark.slow
@pytest.mark.parametrize(
    ("view", "shown", "expected"),
    [
        ("perceptron", {"p": FOUR, "w": "2,-1", "theta": "1"}, {"fires": [0, 1, 0, 0]}),
        ("perceptron", {"p": FOUR, "k": "99"}, {"fires": LABELS}),
        ("perceptron", {"p": FOUR, "rule": "adaline", "eta": "0.9", "k": "3"}, {"labels": LABELS}),
        ("perceptron", {"p": "none", "w": "0,0"}, {"reached": 1.05}),
        ("boolean", {"f": "01101001"}, {"table": [0, 1, 1, 0, 1, 0, 0, 1]}),
        ("graph", {"at": "1,1,0"}, {"values": [1, 1, 0, 2, 0, 4, 0, 0, 0]}),
    ],
)
def test_python_says_what_the_page_shows(lesson, view, shown, expected):
    page = lesson(view, **shown)
    page.keyboard.press("p")
    made = {}
    exec(page.get_by_role("dialog").locator("pre").inner_text(), made)
    for name, value in expected.items():
        np.testing.assert_allclose(made[name], value)
