//go:build !linux

package gpu

import "testing"

func sharedMapping(t *testing.T, size int64) (first, second []byte) {
	t.Skip("the test maps memory as Linux does")
	return nil, nil
}

func memoryFile(t *testing.T, size int64) int {
	t.Skip("the test makes files as Linux does")
	return -1
}
