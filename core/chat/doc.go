// Package chat is what the bot understands and says, on every platform
// alike: actions come in, cards, forms and short refusals go out. It knows
// the text catalogue and no platform.
package chat
