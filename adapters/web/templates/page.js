(function () {
  "use strict";
  // Everything here makes the page nicer; nothing needs it.
  function byId(id) { return document.getElementById(id); }

  var copy = document.querySelector("[data-copy]");
  if (copy) {
    var label = copy.textContent;
    copy.hidden = false;
    copy.addEventListener("click", function () {
      var code = byId(copy.dataset.copy);
      function done() {
        copy.textContent = copy.dataset.done;
        byId("copied").textContent = copy.dataset.done;
        setTimeout(function () { copy.textContent = label; byId("copied").textContent = ""; }, 2500);
      }
      function select() {
        var range = document.createRange();
        range.selectNodeContents(code);
        var chosen = window.getSelection();
        chosen.removeAllRanges();
        chosen.addRange(range);
        if (document.execCommand("copy")) { done(); }
      }
      if (navigator.clipboard && window.isSecureContext) {
        navigator.clipboard.writeText(code.textContent).then(done, select);
      } else {
        select();
      }
    });
  }

  // A second press while the first is under way would be told that the link
  // was used.
  var form = document.querySelector("form");
  var pressed = false;
  if (form) {
    form.addEventListener("submit", function (event) {
      if (pressed) { event.preventDefault(); return; }
      pressed = true;
      form.querySelector("button").setAttribute("aria-busy", "true");
    });
  }
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) { location.reload(); }
  });

  var timer = byId("timer");
  if (!timer) { return; }
  var until = timer.querySelector("time");
  if (until && window.Intl) {
    until.textContent = new Date(until.dateTime).toLocaleTimeString(document.documentElement.lang);
  }
  // Counted from the seconds that the server told, because this clock here
  // may be minutes off.
  var begun = performance.now();
  var whole = Number(timer.dataset.left);
  var said = whole + 1;
  function tick() {
    var left = whole - Math.floor((performance.now() - begun) / 1000);
    var shown = Math.max(0, left);
    byId("clock").textContent = Math.floor(shown / 60) + ":" + String(shown % 60).padStart(2, "0");
    timer.classList.toggle("soon", shown <= 20);
    [60, 30, 10].forEach(function (at) {
      if (shown <= at && said > at && shown > at - 5) { byId("say").textContent = timer.getAttribute("data-say-" + at); }
    });
    said = shown;
    if (left < 0 && !pressed) { clearInterval(again); location.reload(); }
  }
  var again = setInterval(tick, 500);
  tick();
})();
