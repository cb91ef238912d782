// Awards by the file: what the certification body's portal exports, pasted or
// chosen, with what became of every row.
import { post } from "./api.js";
import { busy } from "./chat.js";
import { fill, h, newID } from "./dom.js";

const columns = ["award_id", "email", "first_name", "last_name", "locale", "badge_template_id", "issued_at", "expires_at", "certificate_number", "certificate_url"];

/** sample makes a file with a row for everybody; wrong adds rows that cannot be taken. */
function sample(people, template, today, wrong) {
  const row = (p, i) => {
    const [first, ...last] = p.name.split(/\s+/);
    return [`file-${today}-${i + 1}`, p.emails[0], first, last.join(" ") || first, "en", template, today, "", `EX-${1000 + i}`, ""];
  };
  const rows = people.map(row);
  if (wrong) {
    rows.push(row({ name: "Dora Sample", emails: ["dora at example.org"] }, rows.length));
    rows.push([...rows[0].slice(0, 6), "yesterday", ...rows[0].slice(7)]);
  }
  return [columns, ...rows].map((r) => r.join(",")).join("\n");
}

/** intake makes the form; template() is the badge that is chosen beside it. */
export function intake(ctx, template, today) {
  const id = newID("csv");
  const text = h("textarea", { id, rows: "5", spellcheck: "false", wrap: "off", autocomplete: "off", placeholder: columns.join(","), "aria-describedby": `${id}-hint` });
  const file = h("input", { type: "file", accept: ".csv,text/csv", class: "unseen", tabindex: "-1", "aria-hidden": "true", onchange: async () => {
    if (file.files[0]) text.value = await file.files[0].text();
    file.value = "";
    fill(result);
  } });
  const skip = h("input", { type: "checkbox", role: "switch" });
  const result = h("div", { class: "intake-result", role: "status" });
  const small = (label, act, kind) => h("button", { type: "button", class: `small ${kind ?? ""}`, onclick: act }, label);
  const put = (wrong) => () => {
    text.value = sample(ctx.setup.people.filter((p) => !p.runs), template(), today(), wrong);
    fill(result);
    text.focus();
    text.setSelectionRange(0, 0);
    text.scrollTo(0, 0);
  };

  const send = async () => {
    if (!text.value.trim()) {
      fill(result, h("p", { class: "problem" }, "Paste a file first, choose one, or take a sample."));
      return;
    }
    try {
      show(await post("import", { csv: text.value, skip: skip.checked }));
    } catch (error) {
      fill(result, h("p", { class: "problem" }, `This did not work: ${error.message}.`));
    }
  };

  function show(r) {
    const rows = (n) => (n === 1 ? "one row" : `${n} rows`);
    const verdict = r.problem ? `Nothing was taken in: ${r.problem}.`
      : !r.done ? `Nothing was taken in, because ${rows(r.bad)} of ${r.good + r.bad} cannot be. Mend the file, or take the good rows only.`
        : `${r.good ? "Taken in" : "Nothing to take in"}: ${r.new} new, ${r.changed} changed, ${r.unchanged} known already${r.bad ? `; ${rows(r.bad)} left out` : ""}.`;
    fill(result, h("p", { class: r.done ? "verdict good" : "verdict problem" }, verdict),
      h("ul", null, r.rows.map((row) => h("li", { data: { ok: row.wrong.length ? "no" : "yes" } },
        h("span", { class: `chip ${row.wrong.length ? "state-rejected" : "state-accepted"}` }, row.wrong.length ? "refused" : r.done ? "taken in" : "good"),
        h("span", null, row.what.trim() || `line ${row.line}`, row.wrong.map((w) => h("span", { class: "cause" }, w)))))));
  }

  const go = small("Import", () => busy(go, send), "primary");
  return h("details", { class: "intake" }, h("summary", null, "Import a file (CSV)"),
    h("p", { class: "soft", id: `${id}-hint` }, "One award per row, the columns named in the first line. Importing a file again changes nothing."),
    h("p", { class: "buttons" }, small("Sample", put(false)), small("Sample with mistakes", put(true)), small("Choose a file…", () => file.click()), file),
    h("label", { class: "unseen", for: id }, "Rows of the file"), text,
    h("label", { class: "switch" }, skip, "Take the good rows, leave out the others"),
    h("p", { class: "buttons" }, go), result);
}
