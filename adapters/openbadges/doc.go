// Package openbadges verifies Open Badges of any issuer: 2.0, hosted and
// signed; 3.0, as a signed token and with Data Integrity proofs; and what is
// baked into pictures.
//
// It is built to the specifications:
//
//   - https://www.imsglobal.org/sites/default/files/Badges/OBv2p0Final/index.html
//   - https://www.imsglobal.org/spec/ob/v3p0
//   - https://www.w3.org/TR/vc-data-integrity/ and https://www.w3.org/TR/vc-di-eddsa/
//   - https://www.w3.org/TR/vc-bitstring-status-list/
//
// Everything that it reads comes from strangers. So each document, the
// number of fetches, the depth of what is nested and the whole time are
// bounded; contexts come from memory and never from the network; and nothing
// is genuine unless every check that the format asks for has passed.
package openbadges
