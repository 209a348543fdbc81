"""A small scenario in one text, to be changed in one place by each test."""

from __future__ import annotations

from pathlib import Path

HAGGLE = """\
name: A bicycle
description: "{{players}} settle the price of a bicycle. {{texts.note}}"
tags: [small]
difficulty: easy
objectives: [to settle]
texts:
  - {name: note, file: note.txt}
personas:
  - name: Ada
    role: buyer
    private: {goals: [pay little]}
  - name: Ben
    role: seller
    private: {background: The bicycle was found.}
  - name: Cleo
    role: neighbour
    team: street
  - name: Dan
    team: street
values:
  - {name: price, number: [10, 20], agreed_by: 2}
  - {name: fair, options: [yes, no], voters: [Cleo, Dan]}
scenes:
  - title: Market
    speaks: [Ada, Ben]
    observes: [Cleo]
    timeout_turns: 4
    success: {settled: [price]}
  - title: Street
    description: The street votes.
    speaks: [Cleo, Dan]
    timeout_turns: 2
    success: {settled: [fair]}
narrator:
  - {scene: Market, after: 2, say: Two have spoken.}
  - {said: "old * bicycle", say: So it is old.}
  - {scene: Street, at: end, say: The street has spoken.}
scoring:
  - {persona: Ada, value: price, curve: [{at: 10, points: 4}, {at: 20, points: 0}]}
  - {persona: Ben, value: price, curve: [{at: 10, points: 0}, {at: 20, points: 4}]}
  - {persona: Ben, said: "old bicycle", by: Ada, points: -1, hidden: true}
  - {persona: Cleo, value: fair, worth: {yes: 1, no: 0}}
  - {persona: Dan, scene: Market, points: 1}
"""

NOTE = "It has one wheel."


def haggle(folder: Path, *changes: tuple[str, str]) -> Path:
    """The scenario, with some of its text replaced, as a file with the one that it quotes."""
    text = HAGGLE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (folder / "note.txt").write_text(NOTE)
    file = folder / "haggle.yaml"
    file.write_text(text)
    return file
