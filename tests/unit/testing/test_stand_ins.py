"""The reader without a language model."""

from lcagent.testing.stand_ins import NO_FACTS, UNKNOWN, read_facts, source_ids

QUESTION = "Where does the mother of anna live? [[Q anna mother city]]"


def test_a_prompt_with_an_id_of_a_source_is_a_workers() -> None:
    prompt = f"[[S00001]] anna --mother--> berta. [[S00002]] Nothing.\n{QUESTION}"
    assert source_ids(prompt) == ["[[S00001]]", "[[S00002]]"]
    assert read_facts(prompt, 8) == "anna --mother--> berta"


def test_a_worker_keeps_what_it_is_told_and_what_it_reads() -> None:
    prompt = f"Notes: anna --mother--> berta\n[[S00009]] berta --city--> Bonn.\n{QUESTION}"
    assert read_facts(prompt, 8).splitlines() == ["anna --mother--> berta", "berta --city--> Bonn"]


def test_what_can_be_reached_from_the_question_is_kept_first() -> None:
    others = " ".join(f"x{number} --r--> y{number}." for number in range(9))
    prompt = f"[[S1]] {others} berta --city--> Bonn. anna --mother--> berta. {QUESTION}"
    kept = read_facts(prompt, 3).splitlines()
    assert kept == ["anna --mother--> berta", "berta --city--> Bonn", "x0 --r--> y0"]


def test_a_worker_without_facts_says_so() -> None:
    assert read_facts(f"[[S1]] It rains. {QUESTION}", 8) == NO_FACTS


def test_a_manager_follows_the_facts_of_its_prompt() -> None:
    facts = "berta --city--> Bonn anna --mother--> berta"
    assert read_facts(f"{QUESTION} {facts}", 1) == "Bonn"


def test_a_manager_without_the_facts_does_not_know() -> None:
    assert read_facts(f"{QUESTION} anna --mother--> berta", 8) == UNKNOWN
    assert read_facts("anna --mother--> berta", 8) == UNKNOWN


def test_circles_end() -> None:
    assert read_facts("[[S1]] a --r--> b. b --r--> a. [[Q a r r r]]", 8).count("-->") == 2
    assert read_facts("a --r--> b. b --r--> a. [[Q a r r r]]", 8) == "b"
