// Package internal is empty; its subdirectories are separate packages. Its test checks the imports
// of the whole module against the order in docs/ARCHITECTURE.md.
package internal
