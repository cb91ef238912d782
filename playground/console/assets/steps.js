// What the tour says, and where each thing is done.
import { h } from "./dom.js";

const code = (text) => h("code", null, text);
// visible finds what can be seen: in a chat the newest, which is the last, and
// elsewhere the first.
const visible = (...selectors) => {
  for (const s of selectors) {
    const all = [...document.querySelectorAll(s)].filter((n) => n.checkVisibility());
    const found = s.startsWith(".chat") ? all.at(-1) : all[0];
    if (found) return found;
  }
  return null;
};
// On a phone a part may be out of sight: then its tab is where to press.
const tab = (name) => `#tabs [data-tab="${name}"]`;
const sheet = ".chat .sheet footer button:last-child";
// Buttons are called as the chosen person's language has it; what was done keeps
// the name that it had.
const called = (ctx, selector, name) => {
  const now = visible(selector)?.firstChild?.textContent;
  if (now && !ctx.called.has(selector)) ctx.called.set(selector, now);
  return h("b", null, ctx.called.get(selector) ?? name);
};

/** steps are the seven steps of the guide; each has tasks of {id, say, where}. */
export const steps = (ctx) => [
  {
    id: "start", name: "Say who you are",
    why: `${ctx.bot()} shows badges only to whoever can read the mail of the address they were issued to. So it mails a code first.`,
    tasks: [
      { id: "command", say: ["Type ", code(ctx.command()), " in a chat and press Enter"], where: () => visible("#part-slack .composer", tab("slack")) },
      { id: "link", say: ["Press ", called(ctx, '.chat [data-action^="link:"]', "Link my address"), " and send ", code(ctx.person().emails[0] ?? "")], where: () => visible(sheet, '.chat [data-action^="link:"]', tab("slack")) },
      { id: "code", say: ["Press ", called(ctx, '.chat [data-action^="code:"]', "Enter code"), " and type the code from the mailbox"], where: () => visible(sheet, '.chat [data-action^="code:"]', tab("slack")) },
    ],
  },
  {
    id: "badges", name: "Go to My badges", why: "Every badge that was issued to this address, those that wait for you first.",
    tasks: [{ id: "list", say: ["Press ", called(ctx, '.chat [data-action^="page:"]', "My badges")], where: () => visible('.chat [data-action^="page:"]', "#part-slack .composer", tab("slack")) }],
  },
  {
    id: "claim", name: "Claim a badge", why: "A claimed badge gets a link that works once and lives two minutes. Everything else about the badge stays where it is.",
    tasks: [{ id: "claim", say: ["Press ", called(ctx, '.chat [data-action^="claim"]', "Claim"), " beside a badge"], where: () => visible('.chat [data-action^="claim"]', tab("slack")) }],
  },
  {
    id: "credly", name: "Proceed to Credly", why: "You have two minutes: the message counts down. Too late? Claim again, nothing is lost.",
    tasks: [{ id: "follow", say: ["Press ", called(ctx, '.chat a.btn[href*="/h/"]', "Continue to Credly"), "; it opens in a new tab"], where: () => visible('.chat a.btn[href*="/h/"]', '.chat [data-action^="claim"]', tab("slack")) }],
  },
  {
    id: "account", name: "Have an account there", why: "Credly asks for an account the first time. Use the address to which the badge was issued.",
    tasks: [{ id: "account", say: "Go through the new tab, or press Accept in the Credly panel: that makes an account", where: () => visible('#part-credly [data-act="accept"]', tab("credly")) }],
  },
  {
    id: "auto", name: "Turn on auto-accept", why: "From then on Credly accepts further badges of this body by itself: nobody has to claim again.",
    tasks: [{ id: "auto", say: ["Turn ", h("b", null, "Auto-accept"), " on in the Credly panel"], where: () => visible('#part-credly [role="switch"]', '#part-credly [data-act="accept"]', tab("credly")) }],
  },
  {
    id: "public", name: "Activate your badge", why: "An accepted badge is yours; a public one can be seen and verified by everybody. The message in the chat follows, and shows the ways to let it be seen.",
    tasks: [
      { id: "accept", say: ["Press ", h("b", null, "Accept"), " beside the badge"], where: () => visible('#part-credly [data-act="accept"]', tab("credly")) },
      { id: "public", say: ["Press ", h("b", null, "Make public")], where: () => visible('#part-credly li:has(.state-accepted) [data-act="public"]', tab("credly")) },
      { id: "news", say: "See the news in the chat", where: () => visible(".chat .message:last-child .body", tab("slack")) },
      { id: "share", say: ["Press ", called(ctx, '.chat [data-action^="share:"]', "Share"), " in the chat: networks, mail, and your e-mail signature"], where: () => visible('.chat [data-action^="share:"]', "#part-slack .composer", tab("slack")) },
    ],
  },
];
