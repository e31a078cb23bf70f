"""Whom a group waits for."""

from store.company import SPELL, Company

LONGEST = 0.001


def test_one_busy_session_never_waits() -> None:
    company = Company(LONGEST)
    for turn in range(100):
        company.join("only", turn * LONGEST)
        assert company.complete()
        company.leave()


def test_a_group_waits_for_those_heard_of_lately() -> None:
    company = Company(LONGEST)
    for who in ("a", "b", "c"):
        company.join(who, 0.0)
    company.leave()
    company.join("a", LONGEST)
    assert not company.complete()
    company.join("b", LONGEST)
    company.join("c", LONGEST)
    assert company.complete()


def test_who_is_silent_for_two_spells_is_not_expected() -> None:
    company = Company(LONGEST)
    company.join("gone", 0.0)
    company.join("here", 0.0)
    company.leave()
    for spell in range(1, 3):
        company.join("here", spell * (SPELL + 1) * LONGEST)
        if spell == 1:
            assert not company.complete()
        company.leave()
    company.join("here", 3 * (SPELL + 1) * LONGEST)
    assert company.complete()
