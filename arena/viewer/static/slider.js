// The slider of a game's lanes, and its keys: j and k for a turn on and back.
"use strict";
const slide = document.querySelector(".slide");
const picture = document.querySelector("svg.lanes");
if (slide && picture) {
  slide.hidden = false;
  const range = slide.querySelector("input");
  const label = slide.querySelector("label span");
  const line = picture.querySelector("line.now");
  const said = document.querySelector(".nowsaid");
  const first = Number(picture.dataset.first);
  const all = Number(range.max);
  const whole = label.textContent;
  const tell = (turn) => {
    said.replaceChildren();
    said.hidden = !turn;
    if (!turn) return;
    const heading = turn.querySelector("h3").cloneNode(true);
    heading.querySelector("a")?.remove();
    const head = document.createElement("span");
    head.className = turn.className;
    head.append(...heading.childNodes);
    const words = document.createElement("bdi");
    words.textContent = (turn.querySelector(":scope > bdi, :scope > .told > bdi")?.textContent ?? "").slice(0, 300);
    said.append(head, " ", words);
  };
  const show = (scroll) => {
    const shown = Number(range.value);
    const place = first + shown - 1;
    for (const mark of picture.querySelectorAll("[data-place]")) {
      mark.classList.toggle("later", Number(mark.dataset.place) > place);
    }
    let current = null;
    for (const turn of document.querySelectorAll("article")) {
      const now = shown < all && turn.id === `turn-${place}`;
      turn.classList.toggle("now", now);
      if (now) current = turn;
    }
    const x = String(Number(picture.dataset.left) + shown * Number(picture.dataset.step));
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    line.toggleAttribute("hidden", shown === all);
    label.textContent = shown === all ? whole : `turn ${place} of ${first + all}`;
    tell(current);
    // Where the lanes are in sight the words stand below them; further down the turn itself moves.
    const below = picture.getBoundingClientRect().bottom < 0;
    if (scroll && below) current?.scrollIntoView({ block: "center" });
    document.dispatchEvent(new CustomEvent("turn", { detail: place + 1 }));
  };
  const move = (by) => {
    range.value = String(Number(range.value) + by);
    show(true);
  };
  range.addEventListener("input", () => show(false));
  for (const button of slide.querySelectorAll("button")) {
    button.addEventListener("click", () => move(Number(button.dataset.move)));
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest("input, textarea, select");
    if (field && field !== range) return;
    if (event.key === "j") move(1);
    if (event.key === "k") move(-1);
  });
}
