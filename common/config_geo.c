/*
 * config_geo: countries and networks as an operator writes them.
 *
 *   countries: [DE, nl]        ISO 3166-1 alpha-2, in either case; kept in capitals
 *   asns: [64500, AS64501]     with or without the letters
 *
 * A code that no country has ("UK", "EN") is an error: it would silently allow nobody.
 */
#include "config_reader.h"

/* ISO 3166-1 alpha-2, and XK, which databases use for Kosovo. */
static const char codes[] =
	"AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ "
	"BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM "
	"DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS "
	"GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN "
	"KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ "
	"MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
	"PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV "
	"SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI "
	"VN VU WF WS XK YE YT ZA ZM ZW ";

static bool is_country(const char code[3])
{
	for (const char *p = codes; *p; p += 3)
		if (p[0] == code[0] && p[1] == code[1])
			return true;
	return false;
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

int item_country(struct config_reader *r, const struct config_key *k, void *item)
{
	char code[3] = "";
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	if (s.len == 2) {
		code[0] = upper(s.ptr[0]);
		code[1] = upper(s.ptr[1]);
	}
	if (!is_country(code))
		return reader_fail_value(r, k,
					 span_is(s, "UK") || span_is(s, "uk")
						 ? "a country code; the United Kingdom is GB"
						 : "a country code of two letters such as DE");
	memcpy(item, code, sizeof(code));
	return 0;
}

int item_asn(struct config_reader *r, const struct config_key *k, void *item)
{
	struct span s = {0};
	uint64_t v = 0;
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	if (span_starts(s, SPAN_LIT("AS")) || span_starts(s, SPAN_LIT("as")))
		s = span_skip(s, 2);
	if (!span_u64(s, &v) || v < 1 || v > UINT32_MAX || s.ptr[0] == '0')
		return reader_fail_value(r, k, "the number of an autonomous system such as 64500");
	*(uint32_t *)item = (uint32_t)v;
	return 0;
}
