// Keeps an open page current: when the server says that something has moved, the page asks for
// itself again and puts what is new in the place of its parts (`data-live`).
"use strict";
{
  const main = document.querySelector("main[data-about]");
  const sign = document.getElementById("live");
  const SPACE_MS = 900;
  let state = main ? main.dataset.state : "";
  let wanted = state;
  let stream = null;
  let busy = false;
  let last = 0;
  let timer = 0;

  const say = (look, text) => {
    if (sign.dataset.look === look && sign.textContent === text) return;
    sign.dataset.look = look;
    sign.textContent = text;
    sign.hidden = false;
  };

  const keepOpen = (old, fresh) => {
    const opened = old.querySelectorAll("details");
    fresh.querySelectorAll("details").forEach((each, at) => {
      if (opened[at]) each.open = opened[at].open;
    });
  };

  const swap = (old, fresh) => {
    if (old.isEqualNode(fresh)) return false;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const wanted = focused && (focused.id || focused.getAttribute("href"));
    keepOpen(old, fresh);
    old.replaceWith(document.adoptNode(fresh));
    if (wanted) {
      for (const each of fresh.querySelectorAll("a[href], button, input, summary")) {
        if ((each.id || each.getAttribute("href")) === wanted) {
          each.focus({ preventScroll: true });
          break;
        }
      }
    }
    return true;
  };

  const take = (answer) => {
    const fresh = answer.querySelector("main");
    if (!fresh) return;
    const here = [...main.querySelectorAll("[data-live]")];
    const there = [...fresh.querySelectorAll("[data-live]")];
    const chosen = document.getSelection();
    let changed = false;
    if (here.map((each) => each.id).join() !== there.map((each) => each.id).join()) {
      keepOpen(main, fresh);
      main.replaceChildren(...[...fresh.childNodes].map((each) => document.adoptNode(each)));
      changed = true;
    } else {
      here.forEach((old, at) => {
        // What somebody is marking stays until it is let go.
        if (!chosen.isCollapsed && old.contains(chosen.anchorNode)) return;
        changed = swap(old, there[at]) || changed;
      });
    }
    document.title = answer.title;
    if (fresh.dataset.state) state = fresh.dataset.state;
    if (changed) document.dispatchEvent(new Event("arena:moved"));
  };

  const ask = () => {
    timer = 0;
    busy = true;
    const began = performance.now();
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.onload = () => {
      busy = false;
      // A page that takes long to make is asked for less often.
      last = performance.now() + 9 * (performance.now() - began);
      if (request.status === 200 && request.response) {
        take(request.response);
        say("on", "Live");
        if (wanted !== state) later();
      } else {
        const told = request.response && request.response.querySelector("main .lead");
        say("away", told ? told.textContent : "This page cannot be read at the moment.");
      }
    };
    request.onerror = () => {
      busy = false;
    };
    request.send();
  };

  const later = () => {
    if (busy || timer) return;
    timer = setTimeout(ask, Math.max(0, last + SPACE_MS - performance.now()));
  };

  const open = () => {
    if (stream) return;
    stream = new EventSource(`/live?about=${main.dataset.about}&state=${state}`);
    stream.onopen = () => say("on", "Live");
    stream.addEventListener("moved", (event) => {
      wanted = JSON.parse(event.data);
      say("on", "Live");
      if (wanted !== state) later();
    });
    stream.addEventListener("away", (event) => {
      wanted = "";
      say("away", JSON.parse(event.data));
    });
    stream.onerror = () => {
      const closed = stream.readyState === EventSource.CLOSED;
      say(
        "away",
        closed
          ? "Not live: too many pages are watched at once. Close some, then load this one again."
          : "Not live: the server of these pages does not answer. If it was stopped, type arena view again and open the address that it prints."
      );
      if (closed) shut();
    };
  };

  const shut = () => {
    if (stream) stream.close();
    stream = null;
  };

  if (main && sign && window.EventSource) {
    // A browser holds few connections to one server: a page that nobody sees holds none.
    document.addEventListener("visibilitychange", () => (document.hidden ? shut() : open()));
    window.addEventListener("pagehide", shut);
    window.addEventListener("pageshow", (event) => event.persisted && open());
    if (!document.hidden) open();
  }
}
