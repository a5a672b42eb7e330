/* A Kafka cluster of three brokers in this process (librdkafka's mock), until standard input ends.
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	char err[200], line[100];
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	rd_kafka_mock_cluster_t *m;
	rd_kafka_t *rk;

	rd_kafka_conf_set(c, "log_level", "0", NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, err, sizeof(err));
	m = rk ? rd_kafka_mock_cluster_new(rk, 3) : NULL;
	if (!m)
		return 1;
	printf("%s\n", rd_kafka_mock_cluster_bootstraps(m));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "down", 4))
			for (int b = 1; b <= 3; b++)
				rd_kafka_mock_broker_set_down(m, b);
		else if (!strncmp(line, "up", 2))
			for (int b = 1; b <= 3; b++)
				rd_kafka_mock_broker_set_up(m, b);
		else if (!strncmp(line, "errors", 6))
			rd_kafka_mock_push_request_errors(
				m, 0 /* Produce */, 4, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
				RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
				RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
		printf("done\n");
		fflush(stdout);
	}
	return 0;
}
