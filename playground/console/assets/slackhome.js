// The Home tab of the app, beside its messages. https://docs.slack.dev/surfaces/app-home/
import { fill, focusIn, h } from "./dom.js";
import { icon } from "./icons.js";
import { blocks } from "./slackblocks.js";

/**
 * homeTab draws what the app published for the person. Given are state(), env()
 * for the blocks, name() of the app, and opened(tab), which tells the app that
 * somebody looks.
 */
export function homeTab({ state, env, name, opened }) {
  let told = false;
  return {
    tabs: [["home", "Home"], ["", "Messages"]],
    show: (tab, pane, justNow) => {
      const now = state();
      if (!now) return;
      // Slack tells the app each time that somebody opens the tab.
      if (justNow) {
        told = false;
        opened(tab).finally(() => { told = true; });
      }
      const key = JSON.stringify([now.home?.id, now.home?.hash, now.home ? null : told]);
      if (pane.dataset.shows === key) return;
      pane.dataset.shows = key;
      const focus = focusIn(pane);
      pane.classList.add("home");
      fill(pane, now.home ? h("div", { class: "home-view" }, blocks(now.home.blocks, env())) : empty(name()));
      focus?.(pane);
    },
  };
}

function empty(name) {
  return h("div", { class: "empty-home" }, icon("laurel"), h("p", null, h("strong", null, `${name} has put nothing on its Home tab yet.`)),
    h("p", null, "In Slack this tab would be empty, too."));
}
