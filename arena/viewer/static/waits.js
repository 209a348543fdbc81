// A page of a person for whom nothing waits looks again, without being loaded anew: whoever reads it
// keeps their place, and is told when something waits.
"use strict";
{
  const EVERY_MS = 5000;
  const nothing = document.getElementById("nothing");
  const told = document.getElementById("told");

  const look = () => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.onload = () => {
      if (request.responseURL !== location.href) {
        // Whoever is let in no more is told so there.
        location.assign(request.responseURL);
        return;
      }
      const waits = request.response && request.response.querySelector(".waits");
      if (request.status === 200 && waits) {
        nothing.replaceWith(document.adoptNode(waits));
        told.textContent = "Something waits for you.";
      } else setTimeout(look, EVERY_MS);
    };
    // The server is away: it is asked again.
    request.onerror = () => setTimeout(look, EVERY_MS);
    request.send();
  };

  if (nothing && told) setTimeout(look, EVERY_MS);
}
