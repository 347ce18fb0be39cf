// Package docs has only tests. They hold the pages of docs/ and the README to the
// program: links lead somewhere, commands are understood, lines of the log are those
// that the program writes, rules of nftables are accepted by nft. They do not judge
// whether a page is right in what it says.
package docs
