// Package web is the pages a person sees outside the chat: the passage to the
// provider and the confirmation of an address. They work without JavaScript,
// load nothing from elsewhere but the badge's picture, and do nothing unless
// a button on them is pressed, because links are also followed by scanners.
package web
