# deb, rpm, and what they have inside. deploy/packages.sh tells how.
PACKAGES = $(BUILD)/packages
.PHONY: packages packages-deps test-packages
packages-deps: tools/deps.sh
	@sh tools/deps.sh packages
	@sh tools/geo.sh --shipped $(BUILD)/geo
packages: $(BUILD)/outergate $(BUILD)/outergate-forward $(MAN) packages-deps
	@rm -rf $(PACKAGES)
	@mkdir -p $(PACKAGES)
	$(call say,PACKAGES amd64)sh deploy/packages.sh $(BUILD) $(BUILD) amd64 $(PACKAGES)
	@ls -l $(PACKAGES)
test-packages: packages
	BUILD=$(BUILD) bash tests/packages/run.sh all
