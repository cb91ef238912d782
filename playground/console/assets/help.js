// What each part is, in plain words: a question mark beside its title shows
// it in place, so that nothing covers what it speaks of.
import { h, newID } from "./dom.js";
import { icon } from "./icons.js";

const words = {
  people: "Whom you are on this page, in both chats at once. Who “runs the programme”, the manager, administers the Slack workspace and may manage the Discord server: what is for managers works for them and is refused to everybody else. Go to and fro to see what each of them sees.",
  slack: "A stand-in for Slack. The chosen person is signed in: type / for commands, press buttons, fill in forms. What only this person sees is marked. Home is the app's own tab.",
  discord: "A stand-in for Discord, for the same person. Who links the same address in both chats is one person to the app. Roles are those that the server gives by itself to whoever lets the app tell it of their badges.",
  mail: "Every mail the app sends ends here, whoever it is for. A code that was mailed stands below its mail.",
  credly: "A stand-in for Credly, where badges live. Decide here what the person would decide there: accept or reject a badge, show it to everybody. “Take back” is what the certification body would do. The links open the pages that the person would see.",
  portal: "The body that certifies people. It awards badges one by one or by a file, for as long as you say, takes them back, and is told by the app what became of them. An award shows in the chats of whoever has linked its address, and comes to Credly when it is claimed.",
  faults: "Switch something off and see what the app makes of it. Switches stay on until you turn them off; the red number tells how many are on.",
  work: "What the app has still to do: what leaves it, what came in, and what happens next by itself. Below are the last lines of its log.",
  wire: "Every request, answer, webhook and frame between the app and the simulated services, newest last. Secrets are cut out. Press a line to see what it carried.",
  clock: "The time for everybody on this page. Move it forward to see a link end or a code expire; what has its time of day on the way, such as a reminder, happens at that time. “Next” jumps to the next thing that happens by itself, and tells when that is.",
  guide: "Seven steps from a certificate to a public badge, as the certification body's guide tells them. Do them by hand: the page notices, and rings where to press next. By keyboard: F6 goes from part to part, Tab within one, Escape closes a form.",
};

/** help makes the question mark and the paragraph that it shows. */
export function help(part, label) {
  const id = newID("help");
  const text = h("p", { class: "help-text", id, hidden: true }, words[part]);
  const button = h("button", {
    type: "button", class: "help", "aria-expanded": "false", "aria-controls": id, "aria-label": `What is this: ${label}`, title: "What is this?",
    onclick: () => {
      text.hidden = !text.hidden;
      button.setAttribute("aria-expanded", String(!text.hidden));
    },
  }, icon("help"));
  return { button, text };
}
