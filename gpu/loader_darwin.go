package gpu

// loaderNames are tried in order: the Vulkan SDK's loader, the loader in Homebrew's folders, then
// MoltenVK without a loader.
var loaderNames = []string{
	"libvulkan.1.dylib", "libvulkan.dylib",
	"/opt/homebrew/lib/libvulkan.1.dylib", "/usr/local/lib/libvulkan.1.dylib",
	"libMoltenVK.dylib", "/opt/homebrew/lib/libMoltenVK.dylib", "/usr/local/lib/libMoltenVK.dylib",
}

const installHint = "install MoltenVK, for example with `brew install molten-vk vulkan-loader`, or the Vulkan SDK from LunarG"
