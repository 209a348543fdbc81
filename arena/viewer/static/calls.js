// Opens the calls of a turn below it. Without this script the link leads to the page of the turn.
"use strict";

// A document that XMLHttpRequest has parsed runs no script, and no text of ours is parsed as markup.
const load = (address) =>
  new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.addEventListener("load", () => {
      const found = request.status === 200 && request.response?.getElementById("turn");
      if (found) done(found);
      else failed(new Error(String(request.status)));
    });
    request.addEventListener("error", () => failed(new Error("no answer")));
    request.send();
  });

const open = async (link) => {
  const turn = link.closest("article");
  const already = turn.querySelector(".unfolded");
  if (already) {
    already.hidden = !already.hidden;
    link.setAttribute("aria-expanded", String(!already.hidden));
    return;
  }
  link.setAttribute("aria-busy", "true");
  try {
    const found = document.importNode(await load(link.href), true);
    found.removeAttribute("id");
    // The page may hold several turns, and an id stands once.
    for (const each of found.querySelectorAll("[id]")) each.removeAttribute("id");
    found.classList.add("unfolded");
    turn.append(found);
    link.setAttribute("aria-expanded", "true");
  } catch {
    location.assign(link.href);
  } finally {
    link.removeAttribute("aria-busy");
  }
};

for (const link of document.querySelectorAll("a[data-calls]")) {
  link.setAttribute("aria-expanded", "false");
  link.addEventListener("click", (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link);
  });
}
