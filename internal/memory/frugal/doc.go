// Package frugal, imported for its effect by programs, makes them get by with little address space
// (`ulimit -v`), and ends them in a line where it is too little for Go's runtime to start.
package frugal
