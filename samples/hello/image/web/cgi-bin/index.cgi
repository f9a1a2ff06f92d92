#!/bin/sh
# httpd runs this for every request of "/": what it prints is the answer.
if answer=$(timeout 2 wget -q -O - "$API"); then
  printf 'Content-Type: text/plain\r\n\r\nHello from web. The api service says: %s\n' "$answer"
else
  printf 'Status: 502 Bad Gateway\r\nContent-Type: text/plain\r\n\r\nweb could not reach %s\n' "$API"
fi
