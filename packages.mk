# deb, rpm, and what they have inside. deploy/packages.sh tells how.
PACKAGES = $(BUILD)/packages
.PHONY: packages packages-amd64 packages-arm64 programs-arm64 packages-deps test-packages test-install
packages-deps: tools/deps.sh
	@sh tools/deps.sh packages
	@sh tools/geo.sh --shipped $(BUILD)/geo
packages: packages-arm64 packages-deb11
	@ls -l $(PACKAGES) $(PACKAGES)/debian11
packages-amd64: $(BUILD)/outergate $(BUILD)/outergate-forward $(MAN) packages-deps
	@rm -rf $(PACKAGES)
	@mkdir -p $(PACKAGES)
	$(call say,PACKAGES amd64)sh deploy/packages.sh $(BUILD) $(BUILD) amd64 $(PACKAGES)
# Built with the libraries of another architecture or release: $(call elsewhere,DIRECTORY,SUITE,ARCHITECTURE,TRIPLET,COMPILER)
define elsewhere
	@bash tools/sysroot.sh $(3) $(2) $(abspath $(1)/sysroot)
	@root=$(abspath $(1)/sysroot); PKG_CONFIG_LIBDIR=$$root/usr/lib/$(4)/pkgconfig:$$root/usr/share/pkgconfig \
		PKG_CONFIG_SYSROOT_DIR=$$root $(MAKE) --no-print-directory BUILD=$(1) CC="$(5) --sysroot=$$root" \
		BPF_INCLUDE="-I$$root/usr/include/$(4)" $(1)/outergate $(1)/outergate-forward
endef
# Debian 12's for arm64. Its manual is the other's, which can be run here.
ARM64 = $(BUILD)/arm64
programs-arm64: $(BUILD)/outergate
	@sh tools/deps.sh arm64
	$(call elsewhere,$(ARM64),bookworm,arm64,aarch64-linux-gnu,aarch64-linux-gnu-gcc)
packages-arm64: packages-amd64 programs-arm64
	$(call say,PACKAGES arm64)SYSROOT=$(abspath $(ARM64)/sysroot) sh deploy/packages.sh $(BUILD) $(ARM64) arm64 $(PACKAGES)
# For Debian 11 and what is as old: glibc 2.28, OpenSSL 1.1.
DEB11 = $(BUILD)/deb11
.PHONY: programs-deb11 packages-deb11
programs-deb11: $(BUILD)/outergate packages-deps
	$(call elsewhere,$(DEB11),bullseye,amd64,x86_64-linux-gnu,gcc)
packages-deb11: packages-amd64 programs-deb11
	$(call say,PACKAGES Debian 11)SYSROOT=$(abspath $(DEB11)/sysroot) PACKAGE_VERSION=$(VERSION)~deb11 \
		sh deploy/packages.sh $(BUILD) $(DEB11) amd64 $(PACKAGES)/debian11
	@cp -p $(PACKAGES)/outergate-geo_*.deb $(PACKAGES)/debian11/
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
	$(call say,IMAGE arm64)SYSROOT=$(abspath $(ARM64)/sysroot) sh deploy/image.sh $(BUILD) $(ARM64) arm64 $(IMAGE)
