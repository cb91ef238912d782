// The emoji that Slack writes as words and that apps like to use.
const emoji = {
  tada: "🎉", white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", wave: "👋", medal: "🏅", sports_medal: "🏅",
  trophy: "🏆", star: "⭐", star2: "🌟", sparkles: "✨", hourglass: "⌛", hourglass_flowing_sand: "⏳", alarm_clock: "⏰",
  clock1: "🕐", stopwatch: "⏱️", email: "📧", envelope: "✉️", incoming_envelope: "📨", mailbox: "📫", link: "🔗", lock: "🔒",
  unlock: "🔓", key: "🔑", bell: "🔔", mega: "📣", loudspeaker: "📢", globe_with_meridians: "🌐", earth_africa: "🌍", eyes: "👀",
  mag: "🔍", bulb: "💡", information_source: "ℹ️", question: "❓", exclamation: "❗", arrow_right: "➡️", arrow_left: "⬅️",
  point_right: "👉", thumbsup: "👍", "+1": "👍", clap: "👏", raised_hands: "🙌", rocket: "🚀", mortar_board: "🎓", scroll: "📜",
  herb: "🌿", leaves: "🍃", seedling: "🌱", no_entry: "⛔", no_entry_sign: "🚫", red_circle: "🔴", large_blue_circle: "🔵",
  large_green_circle: "🟢", large_yellow_circle: "🟡", white_circle: "⚪", recycle: "♻️", arrows_counterclockwise: "🔄",
  wastebasket: "🗑️", pencil: "📝", calendar: "📆", date: "📅", smile: "😄", slightly_smiling_face: "🙂", heart: "❤️",
  first_place_medal: "🥇", gear: "⚙️", robot_face: "🤖", bust_in_silhouette: "👤", busts_in_silhouette: "👥", green_heart: "💚",
  ballot_box_with_check: "☑️", black_square_button: "🔲", white_large_square: "⬜", small_blue_diamond: "🔹", page_facing_up: "📄",
};

/** emojis turns :names: into emoji; unknown ones stay as they are. */
export const emojis = (text) => text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => (Object.hasOwn(emoji, name) ? emoji[name] : whole));
