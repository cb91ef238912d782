// Package mail hands mails over to the next mail server by SMTP. It makes the
// message, keeps the connection private where it can, and tells an address
// that will never take mail from everything that may pass.
package mail
