FROM python:3.11-slim
COPY . /src
RUN /src/scripts/install.sh /opt/simbench /src && rm -rf /src && useradd --create-home simbench
USER simbench
WORKDIR /home/simbench
ENV PATH=/opt/simbench/bin:$PATH
EXPOSE 3024
ENTRYPOINT ["simbench"]
CMD ["serve"]
