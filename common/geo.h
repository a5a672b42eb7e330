/*
 * geo: where an address is and whose network it is in, as an operator's databases say.
 *
 * Plain data and one function pointer, so that the core stays pure: the same databases give the
 * same answer. What the databases do not know stays zero; nothing is guessed.
 *
 * Country codes are ISO 3166-1 alpha-2. Coordinates are in 1/10,000 of a degree, the radius is that
 * of the database ("accuracy_radius"), in km.
 */
#ifndef OUTERGATE_GEO_H
#define OUTERGATE_GEO_H

#include "addr.h"

#define GEO_ORG_MAX  40
#define GEO_CITY_MAX 32

enum geo_flag {
	GEO_ANONYMOUS = 1u << 0, /* a public proxy, VPN or other anonymizer */
	GEO_TOR = 1u << 1,	 /* a Tor exit */
	GEO_ANYCAST = 1u << 2,	 /* one address in many places */
	GEO_SATELLITE = 1u << 3,
	GEO_HOSTING = 1u << 4,
	GEO_DROP = 1u << 5, /* on a list of hijacked or hostile networks */
};

struct geo {
	char country[3];    /* "" = unknown */
	bool has_point;	    /* latitude and longitude are known: more than a country database */
	uint16_t radius_km; /* 0 = the database does not say */
	uint32_t asn;	    /* 0 = unknown */
	uint32_t flags;	    /* enum geo_flag */
	int32_t latitude_e4, longitude_e4;
	uint32_t epoch; /* of the databases: another one means that they were exchanged between */
	char as_org[GEO_ORG_MAX]; /* UTF-8, without what shows nothing; bounded, cut at a character
				   */
	char city[GEO_CITY_MAX];  /* of the point, the same */
};

/* Fills *ret (zeroed by the caller) with what is known. No allocation, no I/O beyond mapped files.
 */
struct geo_source {
	void (*lookup)(const struct geo_source *g, const struct addr *a, struct geo *ret);
};

/* Great-circle distance of two points in 1/10,000 of a degree. */
uint32_t geo_distance_m(int32_t latitude_e4, int32_t longitude_e4, int32_t to_latitude_e4,
			int32_t to_longitude_e4);

#endif
