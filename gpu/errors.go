package gpu

import (
	"errors"
	"fmt"
	"strings"
)

// ErrClosed is returned (wrapped) by calls on a device after its Close.
var ErrClosed = errors.New("the device is closed")

// ErrFreed is returned (wrapped) by calls that use a buffer, pipeline or command list after its
// Free.
var ErrFreed = errors.New("used after Free")

// ErrNoValidation is returned (wrapped) by Open if validation is requested and the validation layer
// is not installed.
var ErrNoValidation = errors.New("the Vulkan validation layer VK_LAYER_KHRONOS_validation is not installed")

// NoLoaderError says that no Vulkan loader library could be opened.
type NoLoaderError struct {
	Tried  []string // names of the libraries tried, in order
	Reason string   // the system's message about the last one
}

func (e *NoLoaderError) Error() string {
	return fmt.Sprintf("no Vulkan loader found (tried %s: %s); %s", strings.Join(e.Tried, ", "), e.Reason, installHint)
}

// NoDriverError says that the loader works but finds no usable Vulkan driver.
type NoDriverError struct {
	Reason string
}

func (e *NoDriverError) Error() string {
	return fmt.Sprintf("no Vulkan driver found (%s); %s; if VK_DRIVER_FILES or VK_ICD_FILENAMES is set, check that it names an existing file",
		e.Reason, installHint)
}

// NoDeviceError says that no device matches the request.
type NoDeviceError struct {
	Want   string   // index or part of a name; "" if any device would have done
	Source string   // where Want came from, for example "VFM_DEVICE"; "" if from Options
	Have   []string // the devices found, as "0: name"
	Reason string   // why the requested device cannot be used, "" if it does not exist
}

func (e *NoDeviceError) Error() string {
	var s strings.Builder
	switch {
	case e.Want == "":
		s.WriteString("no usable Vulkan device")
	case e.Reason != "":
		fmt.Fprintf(&s, "the Vulkan device %q cannot be used", e.Want)
	default:
		fmt.Fprintf(&s, "no Vulkan device %q", e.Want)
	}
	if e.Source != "" {
		fmt.Fprintf(&s, " (from %s)", e.Source)
	}
	if e.Reason != "" {
		fmt.Fprintf(&s, ": %s", e.Reason)
	}
	fmt.Fprintf(&s, "; the devices are: %s; give an index or a part of a name", strings.Join(e.Have, "; "))
	return s.String()
}

// OutOfMemoryError says that a buffer does not fit into the device's memory.
type OutOfMemoryError struct {
	Size      int64 // bytes requested
	Available int64 // bytes that were available, as far as is known; -1 if unknown
	Device    string
	Host      bool // the memory is the computer's, not the device's own
}

func (e *OutOfMemoryError) Error() string {
	where := "device memory"
	if e.Host {
		where = "host memory for the device"
	}
	s := fmt.Sprintf("out of %s on %s: %s requested", where, e.Device, bytesText(e.Size))
	if e.Available >= 0 {
		s += fmt.Sprintf(", %s available", bytesText(e.Available))
	}
	return s + "; use smaller tiles or batches, close other programs that use the device, or choose a device with more memory"
}

// DeviceLostError says that the device stopped working (driver reset, hang, unplugged). The Device
// can no longer be used: close it and open a new one.
type DeviceLostError struct {
	Device string
	During string // what was running
	Reason string // more detail, may be ""
}

func (e *DeviceLostError) Error() string {
	s := fmt.Sprintf("the Vulkan device %s was lost during %s", e.Device, e.During)
	if e.Reason != "" {
		s += " (" + e.Reason + ")"
	}
	return s + "; open it again, with smaller tiles or batches if the system's watchdog stopped a long run, or choose another device"
}

// LimitError says that a request is beyond what the device allows or supports.
type LimitError struct {
	What   string // the limit, for example "work groups in x"
	Where  string // the pipeline or call that it concerns, may be ""
	Got    int64
	Max    int64
	Device string
	Need   string // the name of a missing feature; Got and Max are unused then
}

func (e *LimitError) Error() string {
	where := ""
	if e.Where != "" {
		where = e.Where + ": "
	}
	if e.Need != "" {
		return fmt.Sprintf("%s%s needs %s, which %s does not have; choose another device or a variant without it", where, e.What, e.Need, e.Device)
	}
	return fmt.Sprintf("%s%s: %d requested, %s allows %d; split the work or choose another device", where, e.What, e.Got, e.Device, e.Max)
}

// CallError is a failure of a Vulkan call that has no type of its own.
type CallError struct {
	Call string // for example "vkCreateComputePipelines"
	What string // its purpose, may be ""
	Code int    // VkResult
}

func (e *CallError) Error() string {
	s := e.Call
	if e.What != "" {
		s = e.What + ": " + s
	}
	return fmt.Sprintf("%s failed: %s (%d)", s, resultName(e.Code), e.Code)
}

// VkResult values that the package treats differently.
const (
	resultSuccess      = 0
	resultTimeout      = 2
	resultOutOfHost    = -1
	resultOutOfDevice  = -2
	resultInitFailed   = -3
	resultDeviceLost   = -4
	resultLayerMissing = -6
	resultNoDriver     = -9
)

var resultNames = map[int]string{
	1: "not ready", resultTimeout: "timeout", 5: "incomplete", resultOutOfHost: "out of host memory",
	resultOutOfDevice: "out of device memory", resultInitFailed: "initialization failed", resultDeviceLost: "device lost",
	-5: "memory map failed", resultLayerMissing: "layer not present", -7: "extension not present", -8: "feature not present",
	resultNoDriver: "incompatible driver", -10: "too many objects", -12: "fragmented pool", -13: "unknown error",
	-1000069000: "out of pool memory", -1000012000: "invalid shader",
}

func resultName(code int) string {
	if s, ok := resultNames[code]; ok {
		return s
	}
	return "Vulkan error"
}

func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d bytes", n)
}
