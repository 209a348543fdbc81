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

  // What somebody is marking or filling in stays until it is let go.
  const used = (part) => {
    const chosen = document.getSelection();
    if (!chosen.isCollapsed && part.contains(chosen.anchorNode)) return true;
    const at = document.activeElement;
    return part.contains(at) && at.matches("select, textarea, input:not([type='range'])");
  };

  const take = (answer) => {
    const fresh = answer.querySelector("main");
    if (!fresh) return;
    const here = [...main.querySelectorAll("[data-live]")];
    const there = [...fresh.querySelectorAll("[data-live]")];
    const ids = (parts) => parts.map((each) => each.id).join();
    let changed = false;
    if (here.length && ids(here) === ids(there)) {
      here.forEach((old, at) => {
        if (!used(old)) changed = swap(old, there[at]) || changed;
      });
    } else if (!used(main)) {
      // A page without parts is one part; so is one whose parts are others now.
      main.dataset.state = fresh.dataset.state || "";
      changed = !main.isEqualNode(fresh);
      keepOpen(main, fresh);
      if (changed) {
        main.replaceChildren(...[...fresh.childNodes].map((each) => document.adoptNode(each)));
      }
    }
    document.title = answer.title;
    if (fresh.dataset.state) state = fresh.dataset.state;
    else shut();
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
        if (stream) say("on", "Live");
        // Nothing moves here any more.
        else sign.hidden = true;
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
