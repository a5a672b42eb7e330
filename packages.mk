# deb, rpm, and what they have inside. deploy/packages.sh tells how.
PACKAGES = $(BUILD)/packages
.PHONY: packages packages-amd64 packages-arm64 programs-arm64 packages-deps test-packages test-install
packages-deps: tools/deps.sh
	@sh tools/deps.sh packages
	@sh tools/geo.sh --shipped $(BUILD)/geo
packages: packages-arm64
	@ls -l $(PACKAGES)
packages-amd64: $(BUILD)/outergate $(BUILD)/outergate-forward $(MAN) packages-deps
	@rm -rf $(PACKAGES)
	@mkdir -p $(PACKAGES)
	$(call say,PACKAGES amd64)sh deploy/packages.sh $(BUILD) $(BUILD) amd64 $(PACKAGES)
# Cross-built with Debian 12's arm64 libraries. Its manual is the other's, which can be run here.
ARM64 = $(BUILD)/arm64
SYSROOT = $(abspath $(ARM64)/sysroot)
programs-arm64: $(BUILD)/outergate
	@sh tools/deps.sh arm64
	@bash tools/arm64-sysroot.sh $(SYSROOT)
	@PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/aarch64-linux-gnu/pkgconfig:$(SYSROOT)/usr/share/pkgconfig \
		PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) $(MAKE) --no-print-directory BUILD=$(ARM64) \
		CC="aarch64-linux-gnu-gcc --sysroot=$(SYSROOT)" \
		BPF_INCLUDE="-I$(SYSROOT)/usr/include/aarch64-linux-gnu" $(ARM64)/outergate $(ARM64)/outergate-forward
packages-arm64: packages-amd64 programs-arm64
	$(call say,PACKAGES arm64)SYSROOT=$(SYSROOT) sh deploy/packages.sh $(BUILD) $(ARM64) arm64 $(PACKAGES)
test-packages: packages
	BUILD=$(BUILD) bash tests/packages/run.sh all
# The README's section on installation, word for word, to the first alert: in booted Debian 12 and 13.
test-install: packages-amd64
	PACKAGES_STEPS=followed BUILD=$(BUILD) bash tests/packages/run.sh
# The container image, for deploy/kubernetes. deploy/image.sh tells how; tests/image runs it.
IMAGE = $(BUILD)/image
.PHONY: image image-arm64 image-deps
image-deps: tools/deps.sh
	@sh tools/deps.sh image
	@sh tools/geo.sh --shipped $(BUILD)/geo
image: $(BUILD)/outergate $(BUILD)/outergate-forward image-deps
	$(call say,IMAGE amd64)sh deploy/image.sh $(BUILD) $(BUILD) amd64 $(IMAGE)
	@ls -l $(IMAGE)
# Of what `make packages-arm64` has built.
image-arm64: packages-arm64 image-deps
	$(call say,IMAGE arm64)SYSROOT=$(SYSROOT) sh deploy/image.sh $(BUILD) $(ARM64) arm64 $(IMAGE)
