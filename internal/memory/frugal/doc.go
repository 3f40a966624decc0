// Package frugal is imported by programs for its effect. It makes them use less address space
// (`ulimit -v`), and ends them with a one-line error if there is too little for Go's runtime to
// start.
package frugal
