"""What people write beside a movement of money: a note, and an id by which a repetition is recognised."""

from .faults import Wrong

LONGEST = 200


def faults(request_id: str | None, note: str) -> list[Wrong]:
    wrong = []
    if request_id is not None and not (0 < len(request_id) <= LONGEST and request_id.isprintable()):
        wrong.append(Wrong("request_id", f"has 1 to {LONGEST} characters, and no line ends among them"))
    if len(note) > LONGEST or not note.isprintable():
        wrong.append(Wrong("note", f"has at most {LONGEST} characters, and no line ends among them"))
    return wrong
