//go:build !unix

package main

func survivable() {}
