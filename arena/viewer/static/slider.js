// The slider of a game's lanes, and its keys: j and k for a turn on and back.
// A game that is being played is drawn again with every turn: then everything is set up anew.
"use strict";
let sliding = null;
const slideOver = () => {
  const slide = document.querySelector(".slide");
  const picture = document.querySelector("svg.lanes");
  const before = sliding;
  before?.wires.abort();
  sliding = null;
  if (!slide || !picture) return;
  slide.hidden = false;
  const range = slide.querySelector("input");
  const label = slide.querySelector("label span");
  const line = picture.querySelector("line.now");
  const all = Number(range.max);
  const show = (scroll) => {
    const shown = Number(range.value);
    for (const mark of picture.querySelectorAll("[data-place]")) {
      mark.classList.toggle("later", Number(mark.dataset.place) >= shown);
    }
    for (const turn of document.querySelectorAll("article.turn")) {
      turn.classList.toggle("now", shown < all && Number(turn.dataset.place) === shown - 1);
    }
    const x = String(Number(picture.dataset.left) + shown * Number(picture.dataset.step));
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    line.toggleAttribute("hidden", shown === all);
    document.dispatchEvent(new CustomEvent("turn", { detail: shown }));
    label.textContent = shown === all ? `all ${all} turns` : `turn ${shown} of ${all}`;
    if (scroll) document.getElementById(`turn-${shown - 1}`)?.scrollIntoView({ block: "nearest" });
  };
  const move = (by) => {
    range.value = String(Number(range.value) + by);
    show(true);
  };
  const wires = new AbortController();
  sliding = { wires, at: () => (Number(range.value) === all ? null : range.value) };
  range.addEventListener("input", () => show(false));
  for (const button of slide.querySelectorAll("button")) {
    button.addEventListener("click", () => move(Number(button.dataset.move)));
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof HTMLInputElement && event.target.type !== "range") return;
    if (event.key === "j") move(1);
    if (event.key === "k") move(-1);
  }, { signal: wires.signal });
  // Who has gone back to a turn stays there.
  if (before?.at()) {
    range.value = before.at();
    show(false);
  }
};
slideOver();
document.addEventListener("arena:moved", slideOver);
