package restore

import (
	"bytes"
	"errors"
	"testing"
)

func TestONNX(t *testing.T) {
	net := tinyNetwork(t, tinyConfig(), 3)
	var b bytes.Buffer
	if err := net.ONNX(&b, 24, 16); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{ONNXView, ONNXKnown, ONNXTask, ONNXSigma, ONNXMu, ONNXLogVar, ONNXPicture, "denoise,inpaint-random"} {
		if !bytes.Contains(b.Bytes(), []byte(name)) {
			t.Errorf("the model does not name %q", name)
		}
	}
	var bad *NetworkError
	if err := net.ONNX(&b, 20, 16); !errors.As(err, &bad) {
		t.Errorf("a width of 20 pixels: %v", err)
	}
}
