(function () {
  "use strict";
  // Without this the page works as well: the form comes back with the preview.
  function byId(id) { return document.getElementById(id); }
  var form = byId("sign");
  var parts = JSON.parse(form.dataset.parts);
  var said = byId("said");
  var source = byId("html");
  var current = { html: "", text: "" };

  function clean(text) {
    return text.replace(/[\s\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, " ").trim();
  }
  function escaped(text) {
    return text.replace(/[&<>"']/g, function (c) { return "&" + { "&": "amp", "<": "lt", ">": "gt", "\"": "#34", "'": "#39" }[c] + ";"; });
  }
  function chosen(name) {
    return Array.from(form.querySelectorAll("[name=" + name + "]:checked")).map(function (e) { return e.value; });
  }
  function put() {
    var p = parts[chosen("size")[0]];
    var name = clean(byId("name").value);
    var role = clean(byId("role").value);
    var badges = chosen("badge").map(Number);
    var html = p.open;
    if (name) { html += p.name[0] + escaped(name) + p.name[1]; }
    if (role) { html += p.title[0] + escaped(role) + p.title[1]; }
    if (badges.length) {
      html += p.badges[0];
      badges.forEach(function (n, i) {
        if (i % p.perRow === 0) { html += p.row[0]; }
        html += p.cells[n];
        if (i % p.perRow === p.perRow - 1 || i === badges.length - 1) { html += p.row[1]; }
      });
      html += p.badges[1];
    }
    html += p.close;
    var lines = [name, role].concat(badges.map(function (n) { return p.words[n]; }));
    return { html: html, text: lines.filter(Boolean).join("\n"), badges: badges.length };
  }

  // The policy of this page allows no style attributes; the same styles set
  // from here are allowed. Values cannot hold the mark, for quotes in them are
  // escaped.
  function build(html) {
    var parsed = new DOMParser().parseFromString(html.replace(/ style="/g, " data-css=\""), "text/html");
    function copy(node) {
      if (node.nodeType === Node.TEXT_NODE) { return document.createTextNode(node.data); }
      var made = document.createElement(node.localName);
      Array.from(node.attributes).forEach(function (a) {
        if (a.name === "data-css") { made.style.cssText = a.value; } else { made.setAttribute(a.name, a.value); }
      });
      node.childNodes.forEach(function (child) { made.appendChild(copy(child)); });
      if (made.localName === "a") { made.rel = "noreferrer"; }
      return made;
    }
    return copy(parsed.body.firstElementChild);
  }

  function show() {
    current = put();
    source.value = current.html;
    ["light", "dark"].forEach(function (id) { byId(id).replaceChildren(build(current.html)); });
    said.textContent = current.badges ? "" : said.dataset.none;
  }

  function done() {
    said.textContent = said.dataset.copied;
  }
  function failed() {
    said.textContent = said.dataset.failed;
    byId("source").open = true;
    source.focus();
    source.select();
  }
  // The event of copying takes the HTML as it is; it is there without a
  // secure connection as well. Something has to be selected for it.
  function byEvent(kinds) {
    var taken = false;
    function give(event) {
      Object.keys(kinds).forEach(function (kind) { event.clipboardData.setData(kind, kinds[kind]); });
      event.preventDefault();
      taken = true;
    }
    var focused = document.activeElement;
    var selection = window.getSelection();
    selection.selectAllChildren(byId("light"));
    document.addEventListener("copy", give);
    try { document.execCommand("copy"); } catch (e) { taken = false; }
    document.removeEventListener("copy", give);
    selection.removeAllRanges();
    if (focused) { focused.focus(); }
    return taken;
  }
  function byClipboard(kinds) {
    if (!navigator.clipboard || !window.ClipboardItem || !window.isSecureContext) { return Promise.reject(new Error("no clipboard")); }
    var blobs = {};
    Object.keys(kinds).forEach(function (kind) { blobs[kind] = new Blob([kinds[kind]], { type: kind }); });
    return navigator.clipboard.write([new ClipboardItem(blobs)]);
  }
  function copy(kinds) {
    said.textContent = "";
    if (byEvent(kinds)) { done(); } else { byClipboard(kinds).then(done, failed); }
  }

  form.addEventListener("input", show);
  form.addEventListener("submit", function (event) { event.preventDefault(); show(); });
  byId("copy").addEventListener("click", function () { copy({ "text/html": current.html, "text/plain": current.text }); });
  byId("copyhtml").addEventListener("click", function () { copy({ "text/plain": current.html }); });
  byId("show").hidden = true;
  byId("does").hidden = false;
  show();
})();
