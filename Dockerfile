# SPDX-License-Identifier: Apache-2.0
# Two stages: the builder runs the very scripts that ./run uses; the image that serves holds the three
# programs, the libraries and the PMDs of packaging/apt.txt [runtime], and no compiler.
#
#   docker build -t sluice .
#
# One image, two containers that share /run/sluice and the PID namespace (the dataplane watches its
# control process by pidfd), each with its own command:
#
#   docker run -d --name dataplane --user sluice --cap-add IPC_LOCK --ulimit memlock=-1 \
#       --device /dev/vfio -v /dev/hugepages:/dev/hugepages -v sluice-run:/run/sluice -v ./sluice.cfg:/etc/sluice/sluice.cfg sluice
#   docker run -d --name control --pid container:dataplane --volumes-from dataplane sluice \
#       sluice-control --config /etc/sluice/sluice.cfg --run-dir /run/sluice
#
# In Kubernetes: one pod, two containers, shareProcessNamespace, an emptyDir at /run/sluice, and
# resources hugepages-2Mi with the amount `sluicectl check` names. IPC_LOCK is what a vfio port needs;
# AF_XDP and AF_PACKET ports also need NET_ADMIN, NET_RAW and BPF, which a non-root container does not
# get from --cap-add alone: run those with --user root, or give the binary file capabilities.

FROM debian:12-slim AS builder
WORKDIR /src
# The package list first: this layer changes only when the list does.
COPY packaging/apt.txt packaging/
COPY tools/install.sh tools/
RUN tools/install.sh run
COPY . .
RUN tools/build.sh /build --buildtype=release --prefix=/usr

FROM debian:12-slim
COPY packaging/apt.txt /tmp/sluice/packaging/
COPY tools/install.sh /tmp/sluice/tools/
RUN apt-get update -qq && /tmp/sluice/tools/install.sh runtime \
	&& apt-get install -y -qq --no-install-recommends libcap2-bin \
	&& useradd --system --home-dir /var/lib/sluice --shell /usr/sbin/nologin sluice \
	&& useradd --system --no-create-home --shell /usr/sbin/nologin sluice-script \
	&& install -d -o sluice -g sluice -m 0750 /run/sluice /var/lib/sluice \
	&& rm -rf /tmp/sluice /var/lib/apt/lists/* /var/lib/sluice-lab
COPY --from=builder /build/dataplane/sluice-dataplane /build/control/sluice-control /build/control/ctl/sluicectl /usr/bin/
# With the bit set the program is refused where the container lacks IPC_LOCK: better than failing at
# the first DMA mapping.
RUN setcap cap_ipc_lock=ep /usr/bin/sluice-dataplane
COPY LICENSE /usr/share/doc/sluice/
USER sluice
VOLUME /run/sluice /var/lib/sluice
CMD ["sluice-dataplane", "--config", "/etc/sluice/sluice.cfg", "--run-dir", "/run/sluice"]
