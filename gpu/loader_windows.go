package gpu

// loaderNames are tried in order.
var loaderNames = []string{"vulkan-1.dll"}

const installHint = "install the current driver of the GPU's maker, which brings the Vulkan loader vulkan-1.dll"
