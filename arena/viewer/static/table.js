// The board and the lines of a game at the turn of the slider; one board at a time.
"use strict";
let stepping = null;
const stepThrough = () => {
  const strip = document.querySelector(".strip");
  const tracks = document.querySelector("svg.tracks");
  const at = document.querySelector(".slide input");
  stepping?.abort();
  if (!at) return;
  stepping = new AbortController();
  const boards = strip ? [...strip.children] : [];
  strip?.classList.add("stepping");
  const show = (shown) => {
    const last = boards.filter((board) => Number(board.dataset.board) <= shown).pop() ?? boards[0];
    for (const board of boards) board.classList.toggle("shown", board === last);
    if (!tracks) return;
    for (const dot of tracks.querySelectorAll("[data-place]")) {
      dot.classList.toggle("later", Number(dot.dataset.place) >= shown);
    }
    const line = tracks.querySelector("line.now");
    const x = String(Number(tracks.dataset.left) + shown * Number(tracks.dataset.step));
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    line.toggleAttribute("hidden", shown === Number(at.max));
  };
  document.addEventListener("turn", (event) => show(event.detail), { signal: stepping.signal });
  show(Number(at.value));
};
stepThrough();
document.addEventListener("arena:moved", stepThrough);
