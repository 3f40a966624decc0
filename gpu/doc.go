// Package gpu is the only package that uses Vulkan. It opens a device, manages its memory, builds
// compute pipelines from SPIR-V, and records and runs lists of dispatches.
//
// A program opens a [Device], makes [Buffer]s and [Pipeline]s, records a [Commands] list once and
// runs it as often as it likes. Calls are synchronous: [Device.Run], [Device.Write] and
// [Device.Read] return when the work is done. All methods are safe for concurrent use; the runs of
// one device are queued in the order of the calls.
//
// The package needs Vulkan 1.1 and a compute queue, of any vendor. Optional features of a device
// (buffer addresses, 64-bit integers, 16-bit floats, a memory budget) are switched on where they
// exist and listed in [Caps].
//
// A program may lend a device of its own ([Borrowed]), of which the package uses what the program
// has switched on. Memory can be shared with other devices and processes ([Device.ImportFD],
// [Device.NewExportable]).
//
// Two environment variables are read. VFM_DEVICE chooses the device if Options.Device is empty: an
// index or a part of a name. VFM_VULKAN_LOADER names a Vulkan loader library to use in place of the
// system's.
package gpu
