/* geo: distances on the globe. */
#include "geo.h"

#include <math.h>

#define EARTH_RADIUS_M 6371008.8 /* the mean radius, IUGG */

static double radians(int32_t e4)
{
	return (double)e4 / 10000 * (3.14159265358979323846 / 180);
}

/* Haversine; rounded to whole metres, so that no machine's last bit decides anything. */
uint32_t geo_distance_m(int32_t latitude_e4, int32_t longitude_e4, int32_t to_latitude_e4,
			int32_t to_longitude_e4)
{
	double a = radians(latitude_e4), b = radians(to_latitude_e4);
	double over = sin((b - a) / 2);
	double along = sin((radians(to_longitude_e4) - radians(longitude_e4)) / 2);
	double h = over * over + cos(a) * cos(b) * along * along;

	return (uint32_t)(2 * EARTH_RADIUS_M * asin(sqrt(h < 1 ? h : 1)) + 0.5);
}
