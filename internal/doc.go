// Package internal is empty: its folders are packages of their own. Its test holds the imports of the
// whole module to the order of docs/ARCHITECTURE.md.
package internal
