# The host behind the server that took the mail does not know the recipient: EX_NOUSER of sysexits.h.
cat > /dev/null
echo "user unknown at the final host"
exit 67
