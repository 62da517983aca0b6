# A small S3 server in memory, for trying the node's S3 backup out (compose profile "s3"). Not for real data.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
COPY tests/s3/fakes3.py /fakes3.py
USER 65532:65532
ENV FAKES3_HOST=0.0.0.0 FAKES3_BUCKETS=skerry
ENTRYPOINT ["python3", "-u", "/fakes3.py", "7484"]
