(function () {
  "use strict";
  // Without this the page works as well.
  function byId(id) { return document.getElementById(id); }
  var form = byId("ask");
  var wrong = byId("wrong");
  var go = byId("go");
  var pressed = false;

  function tooLarge() {
    var file = byId("file").files[0];
    return Boolean(file) && file.size > Number(form.dataset.max);
  }
  byId("file").addEventListener("change", function () {
    wrong.textContent = tooLarge() ? form.dataset.large : "";
    wrong.hidden = !wrong.textContent;
  });
  form.addEventListener("submit", function (event) {
    if (pressed) { event.preventDefault(); return; }
    if (tooLarge()) {
      event.preventDefault();
      wrong.textContent = form.dataset.large;
      wrong.hidden = false;
      return;
    }
    pressed = true;
    go.setAttribute("aria-busy", "true");
    byId("said").textContent = form.dataset.busy;
  });
  // Back from the verdict the form is as it was left.
  window.addEventListener("pageshow", function () {
    pressed = false;
    go.removeAttribute("aria-busy");
    byId("said").textContent = "";
  });
})();
