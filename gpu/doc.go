// Package gpu is the room where Vulkan lives: it finds a device, holds its memory, builds compute pipelines from SPIR-V
// and records and runs lists of dispatches. No other package imports a Vulkan binding.
//
// A program opens a [Device], makes [Buffer]s and [Pipeline]s, records a [Commands] list once and runs it as often as it
// likes. Everything is synchronous: [Device.Run], [Device.Write] and [Device.Read] return when the work is done. All
// methods are safe for concurrent use; runs of one device are queued in the order they come.
//
// Nothing here assumes a maker of GPUs. The floor is Vulkan 1.1 with a compute queue; whatever more a device has
// (buffer addresses, 64-bit integers, 16-bit floats, a memory budget) is switched on and told in [Caps].
//
// Environment: VFM_DEVICE chooses the device when Options.Device is empty (index or part of a name), VFM_VULKAN_LOADER
// names the Vulkan loader library to use instead of the system's.
package gpu
